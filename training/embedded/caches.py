"""What the autoencoder says to photos, computed once before the learning."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from training.crops import Frame, cut, draw_frames, face_box, face_in
from training.embedded.plan import LearningPlan, Size
from training.port import TrainingPhoto
from webui_engine.diffusion.model import Model

ENCODED_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Crops:
    """Crops of one size. latents: scaled as the UNet takes them, shape (crops, channels, height, width).

    faces: 1 where the face is and 0 elsewhere, shape (crops, 1, height, width).
    """

    latents: torch.Tensor
    faces: torch.Tensor


def build_cache(
    model: Model,
    photos: Sequence[TrainingPhoto],
    plan: LearningPlan,
    on_share: Callable[[float], None],
) -> tuple[Crops, ...]:
    """Crop and encode every photo, for each size. on_share is told the share done, 0 to 1.

    The same seed gives the same crops.
    """
    total = len(plan.sizes) * len(photos)
    sizes = []
    with torch.inference_mode():
        for number, size in enumerate(plan.sizes):
            source = random.Random(f"{plan.seed} {size}")
            encoded = []
            for index, photo in enumerate(photos):
                encoded.append(_encode_photo(model, photo, size, plan.crops_per_photo, source))
                on_share((number * len(photos) + index + 1) / total)
            sizes.append(encoded)
    return tuple(
        Crops(
            latents=torch.cat([crops.latents for crops in encoded]).clone(),
            faces=torch.cat([crops.faces for crops in encoded]).clone(),
        )
        for encoded in sizes
    )


def _encode_photo(model: Model, photo: TrainingPhoto, size: Size, count: int, source: random.Random) -> Crops:
    picture = Image.open(photo.path).convert("RGB")
    frames = draw_frames(picture.size, photo, size, count, source)
    pixels = torch.stack([_as_tensor(cut(picture, frame, size)) for frame in frames])
    starts = range(0, len(pixels), ENCODED_TOGETHER)
    latents = torch.cat([_encode(model, pixels[start : start + ENCODED_TOGETHER]) for start in starts])
    box = face_box(photo, picture.size)
    return Crops(latents, torch.stack([_face(frame, box, latents.shape[2:]) for frame in frames]))


def _face(frame: Frame, box: tuple[int, int, int, int], shape: torch.Size) -> torch.Tensor:
    height, width = shape
    left, top, right, bottom = face_in(frame, box, (width, height))
    where = torch.zeros(1, height, width)
    where[:, top:bottom, left:right] = 1.0
    return where


def _as_tensor(picture: Image.Image) -> torch.Tensor:
    """RGB, float32, -1 to 1, shape (3, height, width)."""
    values = np.asarray(picture, dtype=np.float32) / 127.5 - 1
    return torch.from_numpy(values).permute(2, 0, 1)


def _encode(model: Model, pixels: torch.Tensor) -> torch.Tensor:
    vae = model.vae
    mean = vae.encode(model.to_latent_device(pixels)).latent_dist.mean
    shift = vae.config.shift_factor or 0.0
    latents: torch.Tensor = ((mean - shift) * vae.config.scaling_factor).float()
    return latents

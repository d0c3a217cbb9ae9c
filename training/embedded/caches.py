"""What the autoencoder and the text encoder say to photos and captions, computed once before the learning."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from training.crops import cut, draw_frames
from training.embedded.plan import LearningPlan, Size
from training.port import TrainingPhoto
from webui_engine.diffusion.model import Model

ENCODED_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Cache:
    """latents: by crop size, scaled as the UNet takes them, shape (crops, channels, height, width). text: embeddings
    of the captions, shape (captions, tokens, width); the last is that of the empty caption.
    """

    latents: tuple[torch.Tensor, ...]
    text: torch.Tensor


def build_cache(
    model: Model,
    photos: Sequence[TrainingPhoto],
    captions: Sequence[str],
    plan: LearningPlan,
    on_share: Callable[[float], None],
) -> Cache:
    """Crop and encode everything. on_share is told the share done, 0 to 1. The same seed gives the same crops."""
    total = len(plan.sizes) * len(photos)
    latents: list[torch.Tensor] = []
    with torch.inference_mode():
        for number, size in enumerate(plan.sizes):
            source = random.Random(f"{plan.seed} {size}")
            encoded = []
            for index, photo in enumerate(photos):
                encoded.append(_encode_photo(model, photo, size, plan.crops_per_photo, source))
                on_share((number * len(photos) + index + 1) / total)
            latents.append(torch.cat(encoded))
        text = _encode_captions(model, [*captions, ""])
    return Cache(tuple(latent.clone() for latent in latents), text.clone())


def _encode_photo(
    model: Model, photo: TrainingPhoto, size: Size, count: int, source: random.Random
) -> torch.Tensor:
    picture = Image.open(photo.path).convert("RGB")
    frames = draw_frames(picture.size, photo, size, count, source)
    pixels = torch.stack([_as_tensor(cut(picture, frame, size)) for frame in frames])
    starts = range(0, len(pixels), ENCODED_TOGETHER)
    return torch.cat([_encode(model, pixels[start : start + ENCODED_TOGETHER]) for start in starts])


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


def _encode_captions(model: Model, captions: Sequence[str]) -> torch.Tensor:
    tokenizer = model.tokenizer
    tokens = tokenizer(
        list(captions),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    hidden: torch.Tensor = model.text_encoder(tokens.input_ids.to(model.device.place))[0]
    return hidden

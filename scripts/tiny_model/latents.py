"""Painted pictures as latents, kept on disk block by block so that the denoiser need not encode again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from .anatomy import Anatomy
from .autoencoder import to_tensor
from .paintings import BLOCK, open_block, painted_blocks, portrait_at
from .portrait import Portrait, Size
from .shapes import STRIDE

ENCODE_BATCH = 25
FACE_WEIGHT = 3.0
TALL_SHARE = 0.5
Latents = NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentBatch:
    """Latents (count, channels, height / 8, width / 8) and the numbers of their pictures."""

    size: Size
    numbers: Sequence[int]
    latents: Tensor


def face_weights(batch: LatentBatch, sitter_at: Callable[[Size, int], Portrait] = portrait_at) -> Tensor:
    """How much each latent counts in training: FACE_WEIGHT where the face is, else 1; (count, 1, height, width).

    sitter_at: the portrait that the painting of a size and number follows.
    """
    weights = torch.ones(len(batch.numbers), 1, *batch.latents.shape[2:])
    for row, number in zip(weights, batch.numbers, strict=True):
        anatomy = Anatomy(sitter_at(batch.size, number))
        (x, y), wide, tall = anatomy.center, anatomy.wide, anatomy.tall
        edges = (y - tall, y + tall, x - wide, x + wide)
        top, bottom, left, right = (max(0, int(edge / STRIDE)) for edge in edges)
        row[0, top : bottom + 1, left : right + 1] = FACE_WEIGHT
    return weights


@torch.no_grad()
def balance_channels(model: AutoencoderKL, pictures: Tensor) -> None:
    """Fold a shift and a scale into model so that each latent channel of pictures has mean 0 and spread 1.

    Only the 1 x 1 convolutions on both sides of the latents change; decoding what was encoded gives the same picture.
    pictures: (count, 3, height, width) in -1..1.
    """
    quant, post = model.quant_conv, model.post_quant_conv
    latents = torch.cat([encode(model, part) for part in torch.split(pictures, ENCODE_BATCH)])
    mean, spread = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    channels = len(mean)
    post.bias += post.weight[:, :, 0, 0] @ mean
    post.weight *= spread[None, :, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) / spread
    quant.bias[channels:] -= 2 * spread.log()
    quant.weight[:channels] /= spread[:, None, None, None]
    model.register_to_config(scaling_factor=1.0)


@torch.no_grad()
def encode(model: AutoencoderKL, pictures: Tensor) -> Tensor:
    """The means of the latents of pictures, which are (count, 3, height, width) in -1..1; in fp32."""
    with torch.autocast(model.device.type, torch.bfloat16):
        mean: Tensor = model.encode(pictures.to(model.device)).latent_dist.mean
    return mean.float()


@torch.no_grad()
def encode_block(model: AutoencoderKL, file: Path) -> Path:
    """Write the latents of one block of pictures beside it, unless they are there; returns their file."""
    target = file.with_name(file.name.replace("painted-", "latents-"))
    if target.exists():
        return target
    pictures = open_block(file)
    parts = [
        encode(model, to_tensor(pictures[start : start + ENCODE_BATCH]))
        for start in range(0, len(pictures), ENCODE_BATCH)
    ]
    fresh = target.with_name("fresh-" + target.name)
    np.save(fresh, torch.cat(parts).half().cpu().numpy())
    fresh.rename(target)
    return target


def encode_blocks(model: AutoencoderKL, folder: Path, log: Callable[[str], None]) -> None:
    """Encode every painted block in folder, both sizes by turns so that training can begin early."""
    files = [painted_blocks(folder, "square"), painted_blocks(folder, "tall")]
    for index in range(max(map(len, files))):
        for blocks in files:
            if index < len(blocks):
                log(f"encoded {encode_block(model, blocks[index]).name}")


def latent_blocks(folder: Path, size: Size) -> list[Latents]:
    """The encoded blocks of this size, from block 0 to the first that is missing."""
    blocks: list[Latents] = []
    while (file := folder / f"latents-{size}-{len(blocks):03d}.npy").exists():
        blocks.append(np.load(file, mmap_mode="r"))
    return blocks


class LatentDraw:
    """Random batches of one picture size each; new blocks on disk are noticed now and then."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._random = np.random.default_rng(seed)
        self._drawn = 0
        self._blocks: dict[Size, list[Latents]] = {}

    def batch(self, count: int) -> LatentBatch:
        """count different pictures of one size, as often tall (what most looks are) as square."""
        if self._drawn % 200 == 0:
            self._blocks = {
                "square": latent_blocks(self._folder, "square"),
                "tall": latent_blocks(self._folder, "tall"),
            }
        self._drawn += 1
        size: Size = "tall" if self._blocks["tall"] and self._random.random() < TALL_SHARE else "square"
        blocks = self._blocks[size]
        numbers = self._random.choice(len(blocks) * BLOCK, count, replace=False).tolist()
        chosen = np.stack([blocks[number // BLOCK][number % BLOCK] for number in numbers])
        return LatentBatch(size=size, numbers=numbers, latents=torch.from_numpy(chosen).float())

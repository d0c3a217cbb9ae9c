"""Painted loops as latents, kept on disk block by block; clip n shows picture n of the square paintings as it moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from .autoencoder import to_tensor
from .latents import LatentBatch, encode
from .movement import moving
from .painter import paint
from .paintings import portrait_at

BLOCK = 50
FRAMES = 16
Clips = NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipBatch:
    """Loops of latents (count, frames, channels, height / 8, width / 8) and the numbers of their pictures."""

    numbers: list[int]
    latents: Tensor

    @property
    def pictures(self) -> LatentBatch:
        """The first frames, as a batch of single pictures."""
        return LatentBatch(size="square", numbers=self.numbers, latents=self.latents[:, 0])


def encode_clips(model: AutoencoderKL, folder: Path, blocks: int, log: Callable[[str], None]) -> None:
    """Paint and encode as many blocks of loops as asked for; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for block in range(blocks):
        file = folder / f"clips-{block:03d}.npy"
        if file.exists():
            continue
        clips = [painted_clip(model, block * BLOCK + row) for row in range(BLOCK)]
        fresh = file.with_name(f"fresh-{file.name}")
        np.save(fresh, np.stack(clips))
        fresh.rename(file)
        log(f"encoded {file.name}")


@torch.no_grad()
def painted_clip(model: AutoencoderKL, number: int) -> Clips:
    """The latents of one loop, (FRAMES, channels, height / 8, width / 8)."""
    frames = [paint(frame).picture for frame in moving(portrait_at("square", number), FRAMES)]
    clip: Clips = encode(model, to_tensor(np.stack(frames))).half().cpu().numpy()
    return clip


class ClipDraw:
    """Random batches of loops; new blocks on disk are noticed now and then. only: draw from this many clips alone."""

    def __init__(self, folder: Path, seed: int, only: int | None = None) -> None:
        self._folder = folder
        self._only = only
        self._random = np.random.default_rng(seed)
        self._drawn = 0
        self._blocks: list[Clips] = []

    def batch(self, count: int) -> ClipBatch:
        """count different loops."""
        if self._drawn % 100 == 0:
            self._blocks = _clip_blocks(self._folder)
        self._drawn += 1
        known = len(self._blocks) * BLOCK if self._only is None else self._only
        numbers = self._random.choice(known, count, replace=False).tolist()
        clips = [self._blocks[number // BLOCK][number % BLOCK] for number in numbers]
        return ClipBatch(numbers=numbers, latents=torch.from_numpy(np.stack(clips)).float())


def _clip_blocks(folder: Path) -> list[Clips]:
    blocks: list[Clips] = []
    while (file := folder / f"clips-{len(blocks):03d}.npy").exists():
        blocks.append(np.load(file, mmap_mode="r"))
    return blocks

"""Seeded noise in A1111's order, drawn on the CPU so that a seed gives the same picture on every device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Shape = tuple[int, int, int]
_STRIDE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """What the noise of one batch is drawn from.

    seeds, subseeds: one of each per picture. resize_from: the (width, height) in pixels of a picture whose composition
    shall stand in the middle of this one. delta: A1111's ENSD, added to the seeds of the noise between the steps.
    """

    seeds: tuple[int, ...]
    subseeds: tuple[int, ...]
    subseed_strength: float = 0.0
    resize_from: tuple[int, int] | None = None
    delta: int = 0


def picture_seeds(seed: int, subseed: int, strength: float, count: int) -> list[tuple[int, int]]:
    """(seed, subseed) of each of count pictures: the seeds count up, or the subseeds alone when they vary one seed."""
    return [(seed if strength else seed + i, subseed + i) for i in range(count)]


def initial_noise(seeds: Seeds, shape: Shape) -> tuple[torch.Tensor, list[torch.Generator]]:
    """Noise of (batch, *shape), and the generators from which the sampler draws what comes later."""
    generators = [_seeded(seed) for seed in seeds.seeds]
    noise = torch.stack([_one(seeds, index, generator, shape) for index, generator in enumerate(generators)])
    if seeds.delta:
        generators = [_seeded(seed + seeds.delta) for seed in seeds.seeds]
    return noise, generators


def _one(seeds: Seeds, index: int, generator: torch.Generator, shape: Shape) -> torch.Tensor:
    drawn_shape = _composed_shape(seeds.resize_from, shape)
    resized = drawn_shape != shape
    noise = torch.randn(drawn_shape, generator=_seeded(seeds.seeds[index]) if resized else generator)
    if seeds.subseed_strength:
        variation = torch.randn(drawn_shape, generator=_seeded(seeds.subseeds[index]))
        noise = slerp(seeds.subseed_strength, noise, variation)
    return _centred(noise, torch.randn(shape, generator=generator)) if resized else noise


def slerp(share: float, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Spherical interpolation (Shoemake 1985) from low (share 0) to high (share 1), along dimension 1 as A1111 does.

    Nearly parallel columns are blended linearly.
    """
    cosine = (low / low.norm(dim=1, keepdim=True) * (high / high.norm(dim=1, keepdim=True))).sum(1)
    if cosine.mean() > 0.9995:
        return low * (1 - share) + high * share
    angle = torch.acos(cosine)
    sine = torch.sin(angle)
    from_low = (torch.sin((1 - share) * angle) / sine).unsqueeze(1)
    return from_low * low + (torch.sin(share * angle) / sine).unsqueeze(1) * high


def _composed_shape(resize_from: tuple[int, int] | None, shape: Shape) -> Shape:
    if resize_from is None or min(resize_from) <= 0:
        return shape
    return shape[0], resize_from[1] // _STRIDE, resize_from[0] // _STRIDE


def _centred(noise: torch.Tensor, ground: torch.Tensor) -> torch.Tensor:
    """ground with noise in its middle, cropped where it is larger."""
    rows = _overlap(noise.shape[1], ground.shape[1])
    columns = _overlap(noise.shape[2], ground.shape[2])
    ground[:, rows[1], columns[1]] = noise[:, rows[0], columns[0]]
    return ground


def _overlap(source: int, target: int) -> tuple[slice, slice]:
    length = min(source, target)
    start, place = (source - length) // 2, (target - length) // 2
    return slice(start, start + length), slice(place, place + length)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)

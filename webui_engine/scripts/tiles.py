"""Cutting a picture into overlapping tiles and putting painted tiles back with their edges blended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from webui_engine.tasks import GenerationResult, GenerationTask, Pairs

Box = tuple[int, int, int, int]
Size = tuple[int, int]
Paint = Callable[[GenerationTask, Sequence[Box], Size], GenerationResult]
"""Runs a task whose initial pictures are the boxes of a canvas of the size."""
Enlarge = Callable[[Image.Image, str, int, int], Image.Image]
Announce = Callable[[int], None]
"""Takes the number of sampling passes that will run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaled:
    """What an enlarging script made.

    pictures: the combined ones, with a seed each. extra: the script's infotext pairs. size: the infotext's "Size".
    first: the first tile's result, for the model's name and the LoRAs' hashes. denoising_strength: the last pass's.
    """

    pictures: tuple[Image.Image, ...]
    seeds: tuple[int, ...]
    extra: Pairs
    size: Size
    first: GenerationResult | None
    denoising_strength: float


def spread(length: int, tile: int, overlap: int) -> tuple[int, ...]:
    """Where tiles of a length begin so that they cover length and lie at least overlap over each other (all pixels)."""
    if length <= tile:
        return (0,)
    count = math.ceil((length - overlap) / (tile - overlap))
    return tuple(round(index * (length - tile) / (count - 1)) for index in range(count))


def overlapping(size: Size, tile: Size, overlap: int) -> tuple[Box, ...]:
    """The boxes of tiles over a canvas, row by row; tiles are never larger than the canvas."""
    width, height = min(tile[0], size[0]), min(tile[1], size[1])
    return tuple(
        (left, top, left + width, top + height)
        for top in spread(size[1], height, min(overlap, height - 1))
        for left in spread(size[0], width, min(overlap, width - 1))
    )


def blended(size: Size, boxes: Sequence[Box], tiles: Sequence[Image.Image]) -> Image.Image:
    """One RGB picture of the tiles, cross-faded linearly wherever they lie over each other."""
    total = np.zeros((size[1], size[0], 3), np.float64)
    weights = np.zeros((size[1], size[0], 1), np.float64)
    for box, tile in zip(boxes, tiles, strict=True):
        left, top, right, bottom = box
        ramp = _ramp(box, boxes)[..., None]
        fitted = tile.convert("RGB").resize((right - left, bottom - top), Image.Resampling.LANCZOS)
        total[top:bottom, left:right] += np.asarray(fitted, np.float64) * ramp
        weights[top:bottom, left:right] += ramp
    return Image.fromarray((total / weights).round().clip(0, 255).astype(np.uint8))


def pasted(canvas: Image.Image, painted: Image.Image, region: Box, mask: Image.Image) -> Image.Image:
    """The canvas with painted laid into region where mask ("L", of the canvas's size) is white."""
    layer = canvas.copy()
    size = (region[2] - region[0], region[3] - region[1])
    layer.paste(painted.convert("RGB").resize(size, Image.Resampling.LANCZOS), region[:2])
    return Image.composite(layer, canvas, mask)


def padded(box: Box, padding: int, size: Size) -> Box:
    """The box grown by padding on every side, within a canvas of the size."""
    left, top, right, bottom = box
    return (
        max(0, left - padding),
        max(0, top - padding),
        min(size[0], right + padding),
        min(size[1], bottom + padding),
    )


def soft(size: Size, box: Box, blur: int) -> Image.Image:
    """A mask of a canvas, white in the box, its inner edges blurred; the canvas's own edges stay hard."""
    margin = 3 * blur
    mask = Image.new("L", (size[0] + 2 * margin, size[1] + 2 * margin), 0)
    left, top, right, bottom = box
    grown = (
        0 if left <= 0 else left + margin,
        0 if top <= 0 else top + margin,
        mask.width if right >= size[0] else right + margin,
        mask.height if bottom >= size[1] else bottom + margin,
    )
    mask.paste(255, grown)
    if blur:
        mask = mask.filter(ImageFilter.GaussianBlur(blur))
    return mask.crop((margin, margin, margin + size[0], margin + size[1]))


def batches(boxes: Sequence[Box], most: int) -> Iterator[tuple[Box, ...]]:
    """Runs of neighbouring boxes of one size, at most so many each."""
    run: list[Box] = []
    for box in boxes:
        if run and (len(run) == most or _size(run[0]) != _size(box)):
            yield tuple(run)
            run = []
        run.append(box)
    if run:
        yield tuple(run)


def _size(box: Box) -> Size:
    return box[2] - box[0], box[3] - box[1]


def _ramp(box: Box, boxes: Sequence[Box]) -> np.ndarray:
    """Weights of a tile's pixels, (height, width), falling linearly where a neighbour lies over it."""
    left, top, right, bottom = box
    before_x = max((other[2] for other in boxes if other[0] < left < other[2]), default=left) - left
    after_x = right - min((other[0] for other in boxes if left < other[0] < right), default=right)
    before_y = max((other[3] for other in boxes if other[1] < top < other[3]), default=top) - top
    after_y = bottom - min((other[1] for other in boxes if top < other[1] < bottom), default=bottom)
    return np.outer(_fade(bottom - top, before_y, after_y), _fade(right - left, before_x, after_x))


def _fade(length: int, before: int, after: int) -> np.ndarray:
    position = np.arange(length) + 0.5
    rising = np.clip(position / before, 0, 1) if before else np.ones(length)
    falling = np.clip((length - position) / after, 0, 1) if after else np.ones(length)
    return np.maximum(np.minimum(rising, falling), 1e-6)

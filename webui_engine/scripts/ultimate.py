"""The script "Ultimate SD upscale". Source: the A1111 contract notes, upscale section 5."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.scripts import arguments, tiles
from webui_engine.tasks import GenerationResult, GenerationTask, Monitor, Pairs, ResizeMode

TITLE = "Ultimate SD upscale"
LINEAR, CHESS, NO_REDRAW = range(3)
NO_FIX, BAND_PASS, HALF_TILE, HALF_TILE_AND_CROSSINGS = range(4)
FROM_REQUEST, CUSTOM_SIZE, FROM_PICTURE = range(3)
GRID = 64
LARGEST_SIDE = 8192
CHESS_BATCH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One thing to paint: box in canvas pixels, and the mask ("L", of the canvas's size) by which it is laid in."""

    box: tiles.Box
    mask: Image.Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """How seams are painted over. kind: one of the four. width, padding, blur: pixels. denoise: 0 to 1."""

    kind: int
    width: int
    denoise: float
    padding: int
    blur: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UltimateUpscale:
    """Enlarge to a target size, then paint tile after tile with padding around each, and its seams if asked."""

    tile_width: int
    tile_height: int
    mask_blur: int
    padding: int
    upscaler: str
    redraw_mode: int
    seams: Seams
    target: int
    custom_size: tuple[int, int]
    custom_scale: float

    @classmethod
    def parse(cls, values: Sequence[Any], upscaler: Callable[[str | int | None], str]) -> UltimateUpscale:
        """From the eighteen script arguments; upscaler finds the name at an index. Raises BadValue, UnknownName."""
        given = arguments.exactly(TITLE, values, 18)
        if isinstance(given[8], bool) or not isinstance(given[8], int):
            raise BadValue(
                "script_args upscaler_index", given[8], "an index of the upscalers' list was expected"
            )
        return cls(
            tile_width=arguments.whole("tile_width", given[1], 0, 2048),
            tile_height=arguments.whole("tile_height", given[2], 0, 2048),
            mask_blur=arguments.whole("mask_blur", given[3], 0, 64),
            padding=arguments.whole("padding", given[4], 0, 512),
            upscaler=upscaler(given[8]),
            redraw_mode=arguments.whole("redraw_mode", given[10], LINEAR, NO_REDRAW),
            seams=Seams(
                kind=arguments.whole("seams_fix_type", given[13], NO_FIX, HALF_TILE_AND_CROSSINGS),
                width=arguments.whole("seams_fix_width", given[5], 0, 512),
                denoise=arguments.number("seams_fix_denoise", given[6], 0, 1),
                padding=arguments.whole("seams_fix_padding", given[7], 0, 512),
                blur=arguments.whole("seams_fix_mask_blur", given[12], 0, 64),
            ),
            target=arguments.whole("target_size_type", given[14], FROM_REQUEST, FROM_PICTURE),
            custom_size=(
                arguments.whole("custom_width", given[15], 64, LARGEST_SIDE),
                arguments.whole("custom_height", given[16], 64, LARGEST_SIDE),
            ),
            custom_scale=arguments.number("custom_scale", given[17], 0.1, 16),
        )

    def run(
        self,
        task: GenerationTask,
        paint: tiles.Paint,
        enlarge: tiles.Enlarge,
        announce: tiles.Announce,
        monitor: Monitor,
    ) -> tiles.Upscaled:
        """The enlarged picture, and after it the one with mended seams where that was asked for."""
        if task.inpainting is not None:
            raise WouldBeIgnored("mask", "a picture", f"{TITLE} paints the whole picture")
        source = task.init_images[0]
        size = self._target_size(source.size, task)
        canvas = enlarge(source, self.upscaler, *size)
        redraw, fixes = list(self._redraw(size)), list(self._fixes(size))
        announce(sum(len(run) for run in (redraw, fixes)))
        work = _Work(task=task, paint=paint, monitor=monitor)
        pictures = [work.painted(canvas, redraw, self.padding, self._batch(), task.denoising_strength)]
        strength = task.denoising_strength
        if self.seams.kind != NO_FIX:
            strength = self.seams.denoise
            pictures.append(work.painted(pictures[0], fixes, self.seams.padding, 1, strength))
        return tiles.Upscaled(
            pictures=tuple(pictures),
            seeds=(task.seed,) * len(pictures),
            extra=self._extra(),
            size=size,
            first=work.first,
            denoising_strength=strength,
        )

    def _target_size(self, source: tiles.Size, task: GenerationTask) -> tiles.Size:
        if self.target == FROM_REQUEST:
            return task.width, task.height
        if self.target == CUSTOM_SIZE:
            return self.custom_size
        width, height = (math.ceil(side * self.custom_scale / GRID) * GRID for side in source)
        if max(width, height) > LARGEST_SIDE:
            raise BadValue(
                "custom_scale", self.custom_scale, f"{width}x{height} is over {LARGEST_SIDE} pixels"
            )
        return width, height

    def _tile(self) -> tiles.Size:
        width = self.tile_width or self.tile_height
        height = self.tile_height or self.tile_width
        if not width:
            raise BadValue("script_args tile_width", 0, "one of tile_width and tile_height has to be above 0")
        return width, height

    def _cells(self, size: tiles.Size) -> tuple[int, int]:
        """Columns and rows of tiles."""
        width, height = self._tile()
        return math.ceil(size[0] / width), math.ceil(size[1] / height)

    def _redraw(self, size: tiles.Size) -> Iterator[Patch]:
        if self.redraw_mode == NO_REDRAW:
            return
        columns, rows = self._cells(size)
        cells = [(column, row) for row in range(rows) for column in range(columns)]
        if self.redraw_mode == CHESS:
            cells.sort(key=lambda cell: (cell[0] + cell[1]) % 2)
        for column, row in cells:
            box = self._box(column, row, size)
            yield Patch(box=box, mask=tiles.soft(size, box, self.mask_blur))

    def _box(self, column: float, row: float, size: tiles.Size) -> tiles.Box:
        """The tile at a place counted in tiles; halves lie between."""
        width, height = self._tile()
        left, top = round(column * width), round(row * height)
        return left, top, min(left + width, size[0]), min(top + height, size[1])

    def _fixes(self, size: tiles.Size) -> Iterator[Patch]:
        if self.seams.kind == BAND_PASS:
            yield from self._bands(size)
        if self.seams.kind in (HALF_TILE, HALF_TILE_AND_CROSSINGS):
            yield from self._half_tiles(size)
        if self.seams.kind == HALF_TILE_AND_CROSSINGS:
            columns, rows = self._cells(size)
            for row in range(rows - 1):
                for column in range(columns - 1):
                    yield self._faded(self._box(column + 0.5, row + 0.5, size), size, across=True, along=True)

    def _bands(self, size: tiles.Size) -> Iterator[Patch]:
        columns, rows = self._cells(size)
        half, (width, height) = max(1, self.seams.width // 2), self._tile()
        for column in range(1, columns):
            box = (max(0, column * width - half), 0, min(size[0], column * width + half), size[1])
            yield self._faded(box, size, across=True, along=False)
        for row in range(1, rows):
            box = (0, max(0, row * height - half), size[0], min(size[1], row * height + half))
            yield self._faded(box, size, across=False, along=True)

    def _half_tiles(self, size: tiles.Size) -> Iterator[Patch]:
        columns, rows = self._cells(size)
        for row in range(rows):
            for column in range(columns - 1):
                yield self._faded(self._box(column + 0.5, row, size), size, across=True, along=False)
        for row in range(rows - 1):
            for column in range(columns):
                yield self._faded(self._box(column, row + 0.5, size), size, across=False, along=True)

    def _faded(self, box: tiles.Box, size: tiles.Size, *, across: bool, along: bool) -> Patch:
        """A patch that counts most in its middle and fades to its sides, across and along."""
        width, height = box[2] - box[0], box[3] - box[1]
        levels = np.outer(
            _tent(height) if along else np.ones(height), _tent(width) if across else np.ones(width)
        )
        mask = Image.new("L", size, 0)
        mask.paste(Image.fromarray((levels * 255).astype(np.uint8)), box[:2])
        blurred = tiles.soft(size, box, self.seams.blur)
        return Patch(box=box, mask=Image.fromarray(np.minimum(np.asarray(mask), np.asarray(blurred))))

    def _batch(self) -> int:
        return CHESS_BATCH if self.redraw_mode == CHESS else 1

    def _extra(self) -> Pairs:
        width, height = self._tile()
        return (
            (f"{TITLE} upscaler", self.upscaler),
            (f"{TITLE} tile_width", width),
            (f"{TITLE} tile_height", height),
            (f"{TITLE} mask_blur", self.mask_blur),
            (f"{TITLE} padding", self.padding),
            ("Mask blur", self.mask_blur),
            ("Inpaint area", "Only masked"),
            ("Masked area padding", self.padding),
        )


class _Work:
    """Paints patches one after another; keeps the first result for the infotext."""

    def __init__(self, *, task: GenerationTask, paint: tiles.Paint, monitor: Monitor) -> None:
        self._task, self._paint, self._monitor = task, paint, monitor
        self.first: GenerationResult | None = None

    def painted(
        self, canvas: Image.Image, patches: Sequence[Patch], padding: int, most: int, strength: float
    ) -> Image.Image:
        """The canvas after the patches; those in one batch do not see each other."""
        regions = [tiles.padded(patch.box, padding, canvas.size) for patch in patches]
        done = 0
        for batch in tiles.batches(regions, most):
            if self._monitor.interrupted:
                break
            for region, image in zip(batch, self._images(canvas, batch, strength), strict=False):
                canvas = tiles.pasted(canvas, image, region, patches[done].mask)
                done += 1
        return canvas

    def _images(
        self, canvas: Image.Image, regions: Sequence[tiles.Box], strength: float
    ) -> list[Image.Image]:
        left, top, right, bottom = regions[0]
        task = replace(
            self._task,
            width=math.ceil((right - left) / GRID) * GRID,
            height=math.ceil((bottom - top) / GRID) * GRID,
            init_images=tuple(canvas.crop(region) for region in regions),
            batch_size=len(regions),
            n_iter=1,
            denoising_strength=strength,
            resize_mode=ResizeMode.STRETCH,
        )
        result = self._paint(task, regions, canvas.size)
        self.first = self.first or result
        return [picture.image for picture in result.pictures]


def _tent(length: int) -> np.ndarray:
    """Rising from 0 to 1 in the middle and falling again."""
    position = (np.arange(length) + 0.5) / length
    return 1 - np.abs(2 * position - 1)

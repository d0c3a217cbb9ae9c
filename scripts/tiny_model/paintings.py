"""The training set on disk: painted pictures by number, in one memory-mapped file per picture size.

A picture's number is all that its caption and its portrait need, so nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from .painter import paint
from .portrait import SIZES, Portrait, Size, random_portrait

FIRST_SEED: dict[str, int] = {"square": 0, "tall": 10_000_000}
BLOCK = 2000
Pictures = NDArray[np.uint8]
PictureAt = Callable[[Size, int], NDArray[np.uint8]]


def portrait_at(size: Size, number: int) -> Portrait:
    """The portrait of picture number in the set of this size."""
    return random_portrait(FIRST_SEED[size] + number, size)


def painted_portrait(size: Size, number: int) -> NDArray[np.uint8]:
    """Picture number in the set of this size."""
    return paint(portrait_at(size, number)).picture


def paint_block(folder: Path, size: Size, block: int, picture_at: PictureAt = painted_portrait) -> Path:
    """Paint pictures block * BLOCK to (block + 1) * BLOCK, unless that is done; returns the block's file."""
    file = folder / f"painted-{size}-{block:03d}.npy"
    if file.exists():
        return file
    width, height = SIZES[size]
    fresh = file.with_suffix(".writing")
    folder.mkdir(parents=True, exist_ok=True)
    pictures = open_memmap(fresh, mode="w+", dtype=np.uint8, shape=(BLOCK, height, width, 3))
    for row in range(BLOCK):
        pictures[row] = picture_at(size, block * BLOCK + row)
    pictures.flush()
    fresh.rename(file)
    return file


def paint_blocks(
    folder: Path,
    counts: dict[Size, int],
    log: Callable[[str], None],
    picture_at: PictureAt = painted_portrait,
) -> None:
    """Paint at least counts[size] pictures of each size; what is there already is kept."""
    for size, count in counts.items():
        for block in range(-(-count // BLOCK)):
            paint_block(folder, size, block, picture_at)
            log(f"painted {size} block {block}")


def painted_blocks(folder: Path, size: Size) -> list[Path]:
    """The finished blocks of this size, in order from 0, up to the first that is missing."""
    files: list[Path] = []
    while (file := folder / f"painted-{size}-{len(files):03d}.npy").exists():
        files.append(file)
    return files


def open_block(file: Path) -> Pictures:
    """The pictures of one block, RGB uint8 (BLOCK, height, width, 3), read from disk as needed."""
    pictures: Pictures = np.load(file, mmap_mode="r")
    return pictures

"""Colours and shapes of the face region, for pictures in which no face detector sees a face.

A weak measure: it tells a red-haired person on green from a grey-haired one on blue, not two people alike. It compares
the low-resolution colours of the head-and-shoulders square and the directions of its edges, most at the middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.faces.values import Box

Grid = NDArray[np.float32]

SIDE = 64
COLOUR_CELLS = 16
EDGE_CELLS = 8
DIRECTIONS = 6
PORTRAIT_IN_FACES = 2.4
MIDDLE = (0.5, 0.45)
SPREAD = 0.25
EDGE_SHARE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """colours: YCbCr, 0 to 1, shape (16, 16, 3). edges: share of each direction, shape (8, 8, 6), each of norm 1."""

    colours: Grid
    edges: Grid


def appearance(image: Image.Image, box: Box | None) -> Appearance:
    """The appearance of the square around the face in box, or of the middle square where no face is known."""
    square = image.crop(_square(image, box)).convert("YCbCr").resize((SIDE, SIDE), Image.Resampling.BOX)
    values: Grid = np.asarray(square, dtype=np.float32) / np.float32(255)
    cell = SIDE // COLOUR_CELLS
    colours: Grid = values.reshape(COLOUR_CELLS, cell, COLOUR_CELLS, cell, 3).mean(axis=(1, 3))
    return Appearance(colours=colours, edges=_edges(values[..., 0]))


def appearance_distance(one: Appearance, other: Appearance) -> float:
    """0 for the same picture, below about 0.5: weighted mean difference of colours (7 parts) and of edges (3 parts)."""
    colours = np.linalg.norm(one.colours - other.colours, axis=-1)
    edges = np.linalg.norm(one.edges - other.edges, axis=-1)
    apart = (1 - EDGE_SHARE) * _weighted(colours) + EDGE_SHARE * _weighted(edges)
    return float(apart)


def _square(image: Image.Image, box: Box | None) -> tuple[int, int, int, int]:
    if box is None:
        side = min(image.size)
        left = (image.width - side) // 2
        return left, 0, left + side, side
    half = round(box.width * PORTRAIT_IN_FACES / 2)
    x, y = (box.left + box.right) // 2, (box.top + box.bottom) // 2
    return x - half, y - half, x + half, y + half


def _edges(light: Grid) -> Grid:
    """Histograms of oriented gradients (Dalal and Triggs 2005), unsigned."""
    down, across = np.gradient(light)
    strength = np.hypot(down, across)
    direction = (np.arctan2(down, across) % np.pi) / np.pi * DIRECTIONS
    bins = np.minimum(direction.astype(np.int64), DIRECTIONS - 1)
    cell = SIDE // EDGE_CELLS
    layers = [
        np.where(bins == number, strength, 0).reshape(EDGE_CELLS, cell, EDGE_CELLS, cell).sum(axis=(1, 3))
        for number in range(DIRECTIONS)
    ]
    histogram = np.stack(layers, axis=-1)
    return np.asarray(histogram / (np.linalg.norm(histogram, axis=-1, keepdims=True) + 0.1), dtype=np.float32)


def _weighted(cells: Grid) -> float:
    """The mean over cells with a Gaussian weight about where the face is."""
    places = (np.arange(len(cells)) + 0.5) / len(cells)
    across = np.exp(-(((places - MIDDLE[0]) / SPREAD) ** 2) / 2)
    down = np.exp(-(((places - MIDDLE[1]) / SPREAD) ** 2) / 2)
    return float(np.average(cells, weights=np.outer(down, across)))

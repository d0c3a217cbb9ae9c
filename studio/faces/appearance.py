"""Colours and shapes of the face region, for pictures in which no face can be told.

A weak measure: it tells a red-haired person on green from a grey-haired one on blue, not two people alike. It compares
the low-resolution colours of the head-and-shoulders square and the directions of its edges, most at the middle, at the
best of a few places and sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

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
EDGE_SHARE = 0.1
SCALES = (1.0, 0.8, 1.2)
SHIFTS_IN_FACES = (0.0, -0.25, 0.25)


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """colours: YCbCr, 0 to 1, shape (16, 16, 3). edges: share of each direction, shape (8, 8, 6), each of norm 1."""

    colours: Grid
    edges: Grid


def appearances(image: Image.Image, box: Box | None) -> tuple[Appearance, ...]:
    """The appearance of the square around the face in box, then of 26 squares a little beside, smaller and larger.

    Without a box the face is taken to be in the upper middle.
    """
    face = box or _likely_face(image)
    return tuple(
        _appearance(image, face, *play) for play in product(SHIFTS_IN_FACES, SHIFTS_IN_FACES, SCALES)
    )


def _likely_face(image: Image.Image) -> Box:
    side = min(image.size)
    half = round(side / PORTRAIT_IN_FACES / 2)
    x, y = image.width // 2, side // 2
    return Box(left=x - half, top=y - half, right=x + half, bottom=y + half)


def _appearance(image: Image.Image, face: Box, across: float, down: float, scale: float) -> Appearance:
    """Of the square around a place that is across and down face widths beside the face."""
    half = face.width * scale * PORTRAIT_IN_FACES / 2
    x = (face.left + face.right) / 2 + across * face.width
    y = (face.top + face.bottom) / 2 + down * face.width
    frame = (round(x - half), round(y - half), round(x + half), round(y + half))
    square = image.crop(frame).convert("YCbCr").resize((SIDE, SIDE), Image.Resampling.BOX)
    values: Grid = np.asarray(square, dtype=np.float32) / np.float32(255)
    cell = SIDE // COLOUR_CELLS
    colours: Grid = values.reshape(COLOUR_CELLS, cell, COLOUR_CELLS, cell, 3).mean(axis=(1, 3))
    return Appearance(colours=colours, edges=_edges(values[..., 0]))


def appearance_distance(
    ones: Sequence[Appearance], others: Sequence[Appearance], spread: float = SPREAD
) -> float:
    """Between the best placed of ones and the first of others: 0 for the same picture, below about 0.5.

    spread: how far from the middle a part still counts, as the deviation of a Gaussian in sides of the square.
    """
    return min(_distance(one, others[0], spread) for one in ones)


def _distance(one: Appearance, other: Appearance, spread: float) -> float:
    """The weighted mean difference of colours (nine parts) and of edges (one part)."""
    colours = np.linalg.norm(one.colours - other.colours, axis=-1)
    edges = np.linalg.norm(one.edges - other.edges, axis=-1)
    apart = (1 - EDGE_SHARE) * _weighted(colours, spread) + EDGE_SHARE * _weighted(edges, spread)
    return float(apart)


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


def _weighted(cells: Grid, spread: float) -> float:
    """The mean over cells with a Gaussian weight about where the face is."""
    places = (np.arange(len(cells)) + 0.5) / len(cells)
    across = np.exp(-(((places - MIDDLE[0]) / spread) ** 2) / 2)
    down = np.exp(-(((places - MIDDLE[1]) / spread) ** 2) / 2)
    return float(np.average(cells, weights=np.outer(down, across)))

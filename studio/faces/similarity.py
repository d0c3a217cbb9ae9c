"""Turning, scaling and moving pictures: similarity transforms on continuous pixel coordinates.

A coordinate counts from the picture's left or upper edge: the middle of the first pixel is at 0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

SHRINK_FROM = 1.5
MARGIN_PIXELS = 4


@dataclass(frozen=True, slots=True)
class Similarity:
    """Takes (x, y) to scale · rotation(radians) · (x, y) + (right, down). Positive radians turn clockwise."""

    scale: float
    radians: float
    right: float
    down: float

    @classmethod
    def about(
        cls, scale: float, radians: float, place: tuple[float, float], target: tuple[float, float]
    ) -> Similarity:
        """The transform of this scale and turn that takes place to target."""
        turned = cls(scale, radians, 0.0, 0.0)(np.array([place], dtype=np.float64))[0]
        return cls(scale, radians, target[0] - float(turned[0]), target[1] - float(turned[1]))

    def __call__(self, points: Points) -> Points:
        """points, shape (n, 2), where they come to lie."""
        moved: Points = points @ self._turn().T + np.array([self.right, self.down])
        return moved

    def then(self, other: Similarity) -> Similarity:
        """This transform and after it the other."""
        moved = other(np.array([[self.right, self.down]]))[0]
        return Similarity(
            self.scale * other.scale, self.radians + other.radians, float(moved[0]), float(moved[1])
        )

    def inverse(self) -> Similarity:
        """The way back."""
        return self.about(1 / self.scale, -self.radians, (self.right, self.down), (0.0, 0.0))

    def matrix(self) -> NDArray[np.float64]:
        """Shape (2, 3), for pixel indices, as OpenCV counts them: the middle of the first pixel is at 0."""
        turn = self._turn()
        half = np.array([0.5, 0.5])
        moved = turn @ half + np.array([self.right, self.down]) - half
        return np.hstack([turn, moved[:, None]])

    def _turn(self) -> NDArray[np.float64]:
        cosine, sine = self.scale * math.cos(self.radians), self.scale * math.sin(self.radians)
        return np.array([[cosine, -sine], [sine, cosine]])


def warped(pixels: Pixels, transform: Similarity, size: tuple[int, int], *, repeat_edge: bool) -> Pixels:
    """The picture that transform makes of pixels, width and height by size; same number of channels.

    pixels: uint8, shape (height, width) or (height, width, channels). What lies beyond them is their repeated edge, or
    0. Colours are
    interpolated by cubes, single layers (mattes) by lines; what becomes much smaller is shrunk by area first, so that
    it does not alias.
    """
    import cv2

    part, corner = _needed(pixels, transform, size)
    transform = Similarity(1.0, 0.0, float(corner[0]), float(corner[1])).then(transform)
    factor = min(1.0, transform.scale * SHRINK_FROM)
    if factor < 1:
        height, width = part.shape[:2]
        wanted = max(round(width * factor), 1), max(round(height * factor), 1)
        part = cv2.resize(part, wanted, interpolation=cv2.INTER_AREA)
        transform = Similarity(width / wanted[0], 0.0, 0.0, 0.0).then(transform)
    border = cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT
    steps = cv2.INTER_CUBIC if pixels.ndim == 3 else cv2.INTER_LINEAR
    made: Pixels = cv2.warpAffine(
        part, transform.matrix(), size, flags=steps, borderMode=border, borderValue=0
    )
    return made


def _needed(pixels: Pixels, transform: Similarity, size: tuple[int, int]) -> tuple[Pixels, tuple[int, int]]:
    """The part of pixels that a picture of that size is made from, and its upper left corner."""
    height, width = pixels.shape[:2]
    corners = np.array([(x, y) for x in (0, size[0]) for y in (0, size[1])], dtype=np.float64)
    places = transform.inverse()(corners)
    reach = MARGIN_PIXELS * max(1.0, 1 / transform.scale)
    low = np.clip(np.floor(places.min(axis=0) - reach), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(places.max(axis=0) + reach), low + 1, (width, height)).astype(int)
    return pixels[low[1] : high[1], low[0] : high[0]], (int(low[0]), int(low[1]))

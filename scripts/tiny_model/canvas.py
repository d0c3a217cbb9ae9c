"""Drawing with smooth edges: polygons and strokes on a canvas of twice the picture's size, with part labels."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from .portrait import Color

SCALE = 2
SUBPIXEL_BITS = 4
Points = NDArray[np.float64]
Picture = NDArray[np.uint8]


class Part(IntEnum):
    """What a pixel belongs to."""

    BACKGROUND = 0
    HAIR = 1
    SKIN = 2
    CLOTHES = 3
    FACE = 4
    OTHER = 5


class Canvas:
    """An RGB picture of SCALE times the final size and, beside it, the part each pixel shows.

    Coordinates are pixels of the final picture: x to the right, y down.
    """

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Picture = np.zeros((height * SCALE, width * SCALE, 3), np.uint8)
        self.parts: Picture = np.zeros((height * SCALE, width * SCALE), np.uint8)

    def fill(self, points: Points, color: Color, part: Part | None = None) -> None:
        """Fill the polygon; part, when given, is noted for its pixels."""
        corners = _fixed(points)
        cv2.fillPoly(self.pixels, [corners], _rounded(color), cv2.LINE_AA, SUBPIXEL_BITS)
        if part is not None:
            cv2.fillPoly(self.parts, [corners], int(part), cv2.LINE_8, SUBPIXEL_BITS)

    def stroke(self, points: Points, color: Color, width: float, closed: bool = False) -> None:
        """Draw a line through points; width in pixels of the final picture."""
        thickness = max(1, round(width * SCALE))
        corners = [_fixed(points)]
        cv2.polylines(self.pixels, corners, closed, _rounded(color), thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def limb(self, points: Points, color: Color, width: float, part: Part) -> None:
        """A thick stroke whose pixels are noted as part."""
        self.stroke(points, color, width)
        thickness = max(1, round(width * SCALE))
        cv2.polylines(self.parts, [_fixed(points)], False, int(part), thickness, cv2.LINE_8, SUBPIXEL_BITS)

    def tint(self, points: Points, color: Color, strength: float, blur: float = 0.0) -> None:
        """Blend color into the polygon: strength 0..1; blur softens the edge by that many pixels."""
        margin = int(3 * blur * SCALE) + 2
        corners = _fixed(points)
        low = np.maximum(corners.min(0) // 2**SUBPIXEL_BITS - margin, 0)
        high = np.minimum(corners.max(0) // 2**SUBPIXEL_BITS + margin + 1, self.parts.shape[::-1])
        if (high <= low).any():
            return
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        moved = corners - (low << SUBPIXEL_BITS)
        cv2.fillPoly(mask, [moved.astype(np.int32)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        if blur:
            mask = cv2.GaussianBlur(mask, (0, 0), blur * SCALE)
        area = self.pixels[low[1] : high[1], low[0] : high[0]]
        share = (mask * np.float32(strength / 255))[..., None]
        area[:] = area + (np.array(color, np.float32) - area) * share

    def finished(self) -> Picture:
        """The picture at its final size, RGB uint8."""
        picture: Picture = cv2.resize(
            self.pixels, None, fx=1 / SCALE, fy=1 / SCALE, interpolation=cv2.INTER_AREA
        )
        return picture

    def cover(self, part: Part) -> NDArray[np.float32]:
        """How much of each final pixel part fills, 0..1."""
        mask = (self.parts == part).astype(np.float32)
        cover: NDArray[np.float32] = cv2.resize(
            mask, None, fx=1 / SCALE, fy=1 / SCALE, interpolation=cv2.INTER_AREA
        )
        return cover

    def finished_parts(self) -> Picture:
        """The part of each pixel at the final size."""
        return np.ascontiguousarray(self.parts[::SCALE, ::SCALE])


def smooth(points: Sequence[tuple[float, float]] | Points, closed: bool = True, steps: int = 6) -> Points:
    """A curve through points (Catmull & Rom 1974), steps pieces between neighbours; shape (count, 2)."""
    given = np.asarray(points, np.float64)
    if closed:
        around = np.concatenate([given[-1:], given, given[:2]])
    else:
        around = np.concatenate([given[:1], given, given[-1:]])
    p0, p1, p2, p3 = around[:-3, None], around[1:-2, None], around[2:-1, None], around[3:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * (p1 - p2) + p3 - p0) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, given[-1:]])


def ellipse(x: float, y: float, width: float, height: float, count: int = 20) -> Points:
    """Points around an ellipse with these half-axes."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], 1)


def mixed(first: Color, second: Color, share: float) -> Color:
    """first moved towards second by share (0..1)."""
    red, green, blue = (one + (two - one) * share for one, two in zip(first, second, strict=True))
    return red, green, blue


def darker(color: Color, factor: float) -> Color:
    """color times factor; above 1 it becomes lighter."""
    red, green, blue = (min(255.0, value * factor) for value in color)
    return red, green, blue


def _fixed(points: Points) -> NDArray[np.int32]:
    corners: NDArray[np.int32] = np.round(points * (SCALE * 2**SUBPIXEL_BITS)).astype(np.int32)
    return corners


def _rounded(color: Color) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in color)
    return red, green, blue

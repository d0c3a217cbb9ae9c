"""What can be measured of a face for telling which animal it resembles: proportions of the mesh, hair and ears."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.faces.cheeks import LEFT_CHEEK, RIGHT_CHEEK
from studio.faces.colours import lab as lab_of
from studio.faces.portrait import FRAME_SIDE, SeenHead
from studio.faces.pose import (
    CHIN,
    FOREHEAD,
    LEFT_EYE_CORNERS,
    LEFT_LIDS,
    LEFT_SIDE,
    MOUTH_CORNERS,
    RIGHT_EYE_CORNERS,
    RIGHT_LIDS,
    RIGHT_SIDE,
    Mesh,
)
from studio.faces.similarity import Pixels, warped
from studio.values import Traits

Points = NDArray[np.float64]
Layer = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Points of mediapipe's canonical face mesh.
NOSE_ROOT, NOSE_BASE = 168, 2
NOSTRILS, JAW, INNER_BROWS = (129, 358), (172, 397), (55, 285)
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

PERSON = 128
CHEEK_SHARE = 0.05
# CIE 1976 differences that still count as the same skin or hair, its shades included.
SKIN_DIFFERENCE, HAIR_DIFFERENCE = 20.0, 30.0
# Skin in the shade of the hair keeps its hue and loses lightness.
SHADED_SKIN_HUE, SHADED_SKIN_LIGHT = 14.0, 35.0
EAR_BAND, HAIR_BAND = (0.02, 0.12), (0.02, 0.4)
LEAST_HAIR = 0.02
LEAST_OF_ROW = 0.15
LONGEST_HAIR = 2.0


def measure_traits(pixels: Pixels, head: SeenHead) -> Traits:
    """Measure a head. pixels: the picture it was seen in, RGB, uint8, shape (height, width, 3).

    Proportions are measured in the plane of the face, so that a head turned a little gives nearly the same numbers.
    """
    face = _Face(frame=warped(pixels, head.to_frame, (FRAME_SIDE, FRAME_SIDE), repeat_edge=True), head=head)
    return Traits(
        eye_droop=face.eye_droop(),
        eye_size=face.eye_size(),
        eye_distance=face.inner_eyes() / face.width,
        face_length=face.height / face.width,
        jaw_width=face.across(JAW) / face.width,
        nose_width=face.across(NOSTRILS) / face.width,
        nose_length=face.down(NOSE_ROOT, NOSE_BASE) / face.height,
        mouth_width=face.across(MOUTH_CORNERS) / face.width,
        brow_height=face.brow_height(),
        ear_visibility=face.ear_visibility(),
        hair_length=face.hair_length(),
        hair_volume=face.hair_volume(),
        hair_lightness=face.hair_colour[0],
        hair_redness=face.hair_colour[1],
    )


@dataclass(frozen=True)
class _Face:
    """A head with its frame's pixels. Lengths are pixels of the frame."""

    frame: Pixels
    head: SeenHead

    @cached_property
    def plane(self) -> Points:
        """The mesh seen from straight ahead, shape (478, 2): x from the right side to the left, y down."""
        return frontal(self.head.mesh)

    @cached_property
    def width(self) -> float:
        return self.across((RIGHT_SIDE, LEFT_SIDE))

    @cached_property
    def height(self) -> float:
        return self.down(FOREHEAD, CHIN)

    def across(self, points: tuple[int, int]) -> float:
        return float(self.plane[points[1], 0] - self.plane[points[0], 0])

    def down(self, upper: int, lower: int) -> float:
        return float(self.plane[lower, 1] - self.plane[upper, 1])

    def inner_eyes(self) -> float:
        return self.across((RIGHT_EYE_CORNERS[1], LEFT_EYE_CORNERS[0]))

    def eye_droop(self) -> float:
        """Degrees by which the outer corners lie below the inner ones."""
        slopes = [
            math.atan2(self.down(inner, outer), abs(self.across((inner, outer))))
            for inner, outer in (RIGHT_EYE_CORNERS[::-1], LEFT_EYE_CORNERS)
        ]
        return math.degrees(sum(slopes) / 2)

    def eye_size(self) -> float:
        """Area of both eyes, as width times height, by that of the face, in percent."""
        areas = [
            abs(self.across(corners)) * self.down(*lids)
            for corners, lids in ((RIGHT_EYE_CORNERS, RIGHT_LIDS), (LEFT_EYE_CORNERS, LEFT_LIDS))
        ]
        return 100 * max(sum(areas), 0.0) / (self.width * self.height)

    def brow_height(self) -> float:
        """From the eyes' inner corners up to the brows, by the face's height."""
        corners = (RIGHT_EYE_CORNERS[1], LEFT_EYE_CORNERS[0])
        return sum(self.down(brow, eye) for brow, eye in zip(INNER_BROWS, corners)) / 2 / self.height

    @cached_property
    def lab(self) -> Layer:
        return lab_of(self.frame)

    @cached_property
    def person(self) -> Mask:
        return self.head.matte >= PERSON

    @cached_property
    def oval(self) -> Mask:
        """The face inside its outline."""
        import cv2

        filled = np.zeros(self.frame.shape[:2], dtype=np.uint8)
        outline = self.head.mesh[list(FACE_OVAL), :2].round().astype(np.int32)
        return np.asarray(cv2.fillPoly(filled, [outline], 1)) > 0

    @cached_property
    def skin(self) -> NDArray[np.float32]:
        """The colour of the cheeks, L*a*b*."""
        reach = max(round(CHEEK_SHARE * self.width), 1)
        patches = [
            self.lab[y - reach : y + reach + 1, x - reach : x + reach + 1].reshape(-1, 3)
            for x, y in self.head.mesh[[RIGHT_CHEEK, LEFT_CHEEK], :2].round().astype(int)
        ]
        return np.asarray(np.median(np.concatenate(patches), axis=0), dtype=np.float32)

    @cached_property
    def skin_like(self) -> Mask:
        """Where the colour is that of the cheeks, in light or in shade."""
        apart = self.lab - self.skin
        same = np.linalg.norm(apart, axis=2) < SKIN_DIFFERENCE
        hue = np.hypot(apart[..., 1], apart[..., 2])
        shaded = (hue < SHADED_SKIN_HUE) & (np.abs(apart[..., 0]) < SHADED_SKIN_LIGHT)
        return np.asarray(same | shaded)

    def ear_visibility(self) -> float:
        """How much of the bands beside the face, from eye to mouth, is skin: 0 to about 1."""
        eyes, mouth = self._level(RIGHT_EYE_CORNERS[0]), self._level(MOUTH_CORNERS[0])
        bands = [self._beside(eyes, mouth, side, EAR_BAND) for side in (-1, 1)]
        return float(np.mean([(self.person & self.skin_like)[band].mean() for band in bands]))

    @cached_property
    def hair(self) -> Mask:
        """Hair: of the person, outside the face, of the colour found above the eyes; none on a bald head."""
        outside = self.person & ~self.oval & ~self.skin_like
        above = outside.copy()
        above[self._level(RIGHT_EYE_CORNERS[0]) :] = False
        if above.sum() < LEAST_HAIR * self.oval.sum():
            return np.zeros_like(outside)
        colour = np.median(self.lab[above], axis=0)
        return np.asarray(outside & (np.linalg.norm(self.lab - colour, axis=2) < HAIR_DIFFERENCE))

    @cached_property
    def hair_colour(self) -> tuple[float, float]:
        """Lightness L* and redness a* of the hair; of the skin on a bald head."""
        colour = np.median(self.lab[self.hair], axis=0) if self.hair.any() else self.skin
        return float(colour[0]), float(colour[1])

    def hair_volume(self) -> float:
        """Hair above the chin by the area of the face."""
        return float(self.hair[: self._level(CHIN)].sum() / max(self.oval.sum(), 1))

    def hair_length(self) -> float:
        """How far hair beside the face reaches without a gap: 0 not below the eyes, 1 to the chin, at most 2."""
        eyes, chin = self._level(RIGHT_EYE_CORNERS[0]), self._level(CHIN)
        bottom = min(eyes + round(LONGEST_HAIR * (chin - eyes)), FRAME_SIDE)
        rows = np.max(
            [
                self.hair[self._beside(eyes, bottom, side, HAIR_BAND)].mean(axis=1) > LEAST_OF_ROW
                for side in (-1, 1)
            ],
            axis=0,
        )
        covered = len(rows) if rows.all() else int(rows.argmin())
        return covered / (chin - eyes)

    def _level(self, point: int) -> int:
        return round(float(np.clip(self.head.mesh[point, 1], 1, FRAME_SIDE - 1)))

    def _beside(self, top: int, bottom: int, side: int, band: tuple[float, float]) -> tuple[slice, slice]:
        """The part of the frame beside the face, from near to far in widths of the face. side: -1 right, 1 left."""
        edge = float(self.head.mesh[LEFT_SIDE if side > 0 else RIGHT_SIDE, 0])
        ends = sorted(
            round(float(np.clip(edge + side * share * self.width, 0, FRAME_SIDE))) for share in band
        )
        return slice(top, max(bottom, top + 1)), slice(ends[0], max(ends[1], ends[0] + 1))


def frontal(mesh: Mesh) -> Points:
    """The mesh as seen from straight ahead: turned so that sides and forehead-to-chin lie in the plane.

    mesh: shape (n, 3). Returns shape (n, 2), in the mesh's unit.
    """
    across = mesh[LEFT_SIDE] - mesh[RIGHT_SIDE]
    across = across / np.linalg.norm(across)
    down = mesh[CHIN] - mesh[FOREHEAD]
    down = down - (down @ across) * across
    down = down / np.linalg.norm(down)
    seen: Points = np.column_stack([mesh @ across, mesh @ down])
    return seen

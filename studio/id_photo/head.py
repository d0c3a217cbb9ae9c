"""The measures of a head: crown, chin, eye line, how it is turned, and what its eyes and mouth do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.faces.portrait import SeenHead
from studio.faces.pose import (
    CHIN,
    LEFT_EYE_CORNERS,
    LEFT_SIDE,
    RIGHT_EYE_CORNERS,
    RIGHT_SIDE,
    eye_centre,
    face_pose,
)
from studio.faces.similarity import Pixels

CROWN_BAND = 0.6
CROWN_QUANTILE = 0.1
LEAST_CROWN, MOST_CROWN = 0.8, 1.4
HALF = 127.5
CUT_ABOVE_CHIN, CUT_SHARE = 0.3, 0.125
EDGE_LINE = (15, 17)  # pixels of the frame


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMeasures:
    """A head in its frame. crown, chin, eyes: heights in pixels of the frame, downwards; middle: of the face, across.

    roll, yaw, pitch: degrees; a head looks straight ahead at 0. eyes_open: height of the less open eye by its width.
    mouth_open: height between the lips by the mouth's width. cut_off: the head goes on beyond the photo's edge.
    """

    crown: float
    chin: float
    eyes: float
    middle: float
    roll: float
    yaw: float
    pitch: float
    eyes_open: float
    mouth_open: float
    cut_off: bool

    @property
    def height(self) -> float:
        """Chin to crown, in pixels of the frame."""
        return self.chin - self.crown

    @property
    def above_eyes(self) -> float:
        """Eyes to crown, in pixels of the frame."""
        return self.eyes - self.crown


def measure_head(head: SeenHead) -> HeadMeasures:
    """Measure what was seen.

    The crown is the top of the hair above the face, so that single hairs do not count; hair that towers over a head
    counts only up to what heads have.
    """
    mesh, pose = head.mesh, face_pose(head.mesh)
    right, left = (eye_centre(mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    eyes = (right + left) / 2
    chin = float(mesh[CHIN, 1])
    face = chin - float(eyes[1])
    top = _top_of_hair(head.matte, float(eyes[0]), float(eyes[1]), face)
    crown = float(np.clip(top, eyes[1] - MOST_CROWN * face, eyes[1] - LEAST_CROWN * face))
    return HeadMeasures(
        crown=crown,
        chin=chin,
        eyes=float(eyes[1]),
        middle=float((mesh[RIGHT_SIDE, 0] + mesh[LEFT_SIDE, 0] + 2 * eyes[0]) / 4),
        roll=pose.roll,
        yaw=pose.yaw,
        pitch=pose.pitch,
        eyes_open=pose.eyes_open,
        mouth_open=pose.mouth_open,
        cut_off=_is_cut_off(head.matte, head.inside, chin, face),
    )


def _top_of_hair(matte: Pixels, across: float, down: float, face: float) -> float:
    """The height of the hair's top above the face, to parts of a pixel."""
    left, right = (round(np.clip(across + side * CROWN_BAND * face, 0, matte.shape[1])) for side in (-1, 1))
    band = matte[: max(round(down), 1), left:right].astype(np.float64)
    covered = band >= HALF
    columns = np.flatnonzero(covered.any(axis=0))
    if not len(columns):
        return 0.0
    first = covered.argmax(axis=0)[columns]
    here = band[first, columns]
    before = np.where(first > 0, band[np.maximum(first - 1, 0), columns], 0.0)
    tops = first + 0.5 - (here - HALF) / np.maximum(here - before, 1e-6) * (first > 0)
    return float(np.quantile(tops, CROWN_QUANTILE))


def _is_cut_off(matte: Pixels, inside: Pixels, chin: float, face: float) -> bool:
    """Whether the head, above the chin, reaches the photo's edge along more than an eighth of the face.

    Looked for on a line a little inside the edge: right at the edge the matte is not sure.
    """
    import cv2

    outer, inner = (cv2.erode(inside, np.ones((width, width), dtype=np.uint8)) for width in EDGE_LINE)
    line = (outer > 0) & (inner == 0)
    head = np.s_[: max(round(chin - CUT_ABOVE_CHIN * face), 1)]
    return float((line[head] & (matte[head] >= HALF)).sum()) > CUT_SHARE * face

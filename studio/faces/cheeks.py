"""The light on a face, read where it is skin and nothing else: the cheeks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.faces.measures import Luma
from studio.faces.pose import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, Mesh, eye_centre

# Points of mediapipe's canonical face mesh on the skin beside the nose, below the eyes.
RIGHT_CHEEK, LEFT_CHEEK = 50, 280
CHEEK_SHARE = 0.12


def cheek_light(light: Luma, mesh: Mesh) -> tuple[float, float]:
    """Median luma of the person's right and left cheek, 0 to 255.

    light: of the head's frame. mesh: the points of the face in it, (x, y) first.
    """
    right_eye, left_eye = (eye_centre(mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    reach = CHEEK_SHARE * float(np.linalg.norm(left_eye - right_eye))
    right, left = (
        float(np.median(patch(light, mesh[point, :2], reach))) for point in (RIGHT_CHEEK, LEFT_CHEEK)
    )
    return right, left


def patch(light: Luma, middle: NDArray[np.float64], reach: float) -> Luma:
    """The square of light around middle, (x, y); reach: pixels from there to each side."""
    x, y = middle
    rows = slice(max(round(y - reach), 0), max(round(y + reach), 0) + 1)
    columns = slice(max(round(x - reach), 0), max(round(x + reach), 0) + 1)
    return light[rows, columns]

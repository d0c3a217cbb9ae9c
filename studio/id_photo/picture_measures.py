"""Measures of a picture's pixels: background, light, sharpness, dark glasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.faces.cheeks import cheek_light, patch
from studio.faces.colours import lab, rgb
from studio.faces.measures import laplacian_variance, luma
from studio.faces.portrait import SeenHead
from studio.faces.pose import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, Mesh, eye_centre
from studio.faces.similarity import Pixels, Similarity, warped

FACE_SIDE = 150
BACKGROUND_QUANTILE = 0.9
CLEAR_OF_PERSON = 0.02
LENS_SHARE = 0.16
COMMON_LIGHT = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceLight:
    """light: median luma of the cheeks, 0 to 255. unevenness: their difference by the brighter one, 0 to 1.

    lenses: luma around the darker eye, skin included, by that of the cheeks; sunglasses make it small.
    sharpness: variance of the Laplacian of the face at one size and one brightness.
    """

    light: float
    unevenness: float
    lenses: float
    sharpness: float


def face_light(frame: Pixels, mesh: Mesh) -> FaceLight:
    """Measure the face in the head's frame. frame: RGB, uint8. mesh: its points, (x, y) first."""
    light = luma(frame)
    right_eye, left_eye = (eye_centre(mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    apart = float(np.linalg.norm(left_eye - right_eye))
    cheek = cheek_light(light, mesh)
    eyes = [float(patch(light, eye, LENS_SHARE * apart * 2).mean()) for eye in (right_eye, left_eye)]
    return FaceLight(
        light=sum(cheek) / 2,
        unevenness=abs(cheek[0] - cheek[1]) / max(*cheek, 1.0),
        lenses=max(eye / max(side, 1.0) for eye, side in zip(eyes, cheek)),
        sharpness=_sharpness(frame, right_eye, left_eye),
    )


def _sharpness(frame: Pixels, right_eye: NDArray[np.float64], left_eye: NDArray[np.float64]) -> float:
    """Of the square around eyes and mouth at 150 by 150 pixels, its light brought to one brightness."""
    apart = float(np.linalg.norm(left_eye - right_eye))
    middle = (right_eye + left_eye) / 2 + np.array([0, 0.5 * apart])
    scale = FACE_SIDE / (2.4 * apart)
    window = Similarity.about(
        scale, 0.0, (float(middle[0]), float(middle[1])), (FACE_SIDE / 2, FACE_SIDE / 2)
    )
    light = luma(warped(frame, window, (FACE_SIDE, FACE_SIDE), repeat_edge=True))
    return laplacian_variance(light * (COMMON_LIGHT / max(float(np.percentile(light, 90)), 1.0)))


def background_difference(picture: Pixels, person: Pixels, colours: tuple[str, ...]) -> float:
    """How far the background is from the nearest of colours: the ninth tenth of CIE 1976 colour differences.

    picture: RGB, uint8. person: uint8, same height and width, 255 for the person. 0 where nothing of the background
    is in the picture.
    """
    import cv2

    reach = 2 * max(round(CLEAR_OF_PERSON * picture.shape[0]), 1) + 1
    behind = cv2.dilate(person, np.ones((reach, reach), dtype=np.uint8)) < 13
    if not behind.any():
        return 0.0
    seen = lab(picture[behind][None])[0]
    wanted = lab(np.array([[rgb(colour) for colour in colours]], dtype=np.uint8))[0]
    differences = np.linalg.norm(seen[:, None] - wanted[None], axis=2).min(axis=1)
    return float(np.quantile(differences, BACKGROUND_QUANTILE))


def person_in(head: SeenHead, to_picture: Similarity, size: tuple[int, int]) -> Pixels:
    """The person's matte in a picture of that size, with the way from the frame to it given."""
    return warped(head.matte, to_picture, size, repeat_edge=True)

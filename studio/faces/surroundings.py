"""What is round the face in a picture: the colours of its background and of the clothes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.faces.find import Pixels, find_faces
from studio.faces.matte import person_matte
from studio.faces.values import Box, Lab, Surroundings
from studio.faces.working import working_copy

SIDE = 256
SURELY_PERSON, SURELY_BACKGROUND = 230, 25
LEAST_SHARE = 0.01
CHIN_TO_COLLAR = 0.4
"""Of the height of the face's box: below it the neck ends and clothes begin."""
SHOULDERS_FROM = 0.88
"""Of the picture's height, where no face is found: the lowest part, in which a portrait shows clothes."""

Where = NDArray[np.bool_]


def surroundings(picture: bytes) -> Surroundings:
    """The colours round the main face of an encoded picture.

    The person is told from the background by studio.faces.matte, the clothes from the head by the place of the face.
    """
    image = working_copy(picture).image
    faces = [face for face in find_faces(np.asarray(image)) if face.confirmed]
    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
    matte = person_matte(pixels, np.full((SIDE, SIDE), 255, dtype=np.uint8))
    below_head = np.arange(SIDE)[:, None] / SIDE >= _collar(faces[0].box if faces else None, image.height)
    return Surroundings(
        background=_colour(pixels, (matte <= SURELY_BACKGROUND) & ~below_head),
        clothes=_colour(pixels, (matte >= SURELY_PERSON) & below_head),
    )


def _collar(face: Box | None, height: int) -> float:
    """How far down the clothes begin, as a share of the picture's height."""
    if face is None:
        return SHOULDERS_FROM
    return min((face.bottom + CHIN_TO_COLLAR * face.height) / height, 1.0)


def _colour(pixels: Pixels, where: Where) -> Lab | None:
    """The median colour of the pixels there; None where they are too few to tell."""
    import cv2

    if where.mean() < LEAST_SHARE:
        return None
    seen = cv2.cvtColor(pixels[where][None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    light, red, yellow = (round(float(value), 2) for value in np.median(seen, axis=0))
    return light, red, yellow

"""The copy of a picture that faces are looked for in: large enough to measure them, small enough to be quick."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from studio.faces.find import Pixels
from studio.faces.values import Box, Face

WORKING_SIDE = 1600


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCopy:
    """image: RGB, at most 1600 pixels a side. width, height: of the picture it was made from."""

    image: Image.Image
    width: int
    height: int

    @property
    def pixels(self) -> Pixels:
        """RGB, uint8, shape (height, width, 3) of the copy."""
        return np.asarray(self.image)

    @property
    def scale(self) -> float:
        """How many pixels of the picture lie along one of the copy."""
        return self.width / self.image.width


def working_copy(picture: bytes) -> WorkingCopy:
    """The copy of a clean picture (as studio.intake.decode gives it)."""
    image = Image.open(io.BytesIO(picture))
    width, height = image.size
    shrink = WORKING_SIDE / max(width, height, WORKING_SIDE)
    image.draft("RGB", (round(width * shrink), round(height * shrink)))
    small = image if image.mode == "RGB" else image.convert("RGB")
    small.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    return WorkingCopy(small, width, height)


def scaled(face: Face, scale: float) -> Face:
    """face in a picture that is scale times as large."""
    left, top, right, bottom = (round(side * scale) for side in face.box.corners())
    return face.model_copy(update={"box": Box(left=left, top=top, right=right, bottom=bottom)})

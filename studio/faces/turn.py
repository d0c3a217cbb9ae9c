"""Whether a picture lies on its side or on its head."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from studio.faces.find import Pixels, surest_score
from studio.faces.values import Face, HeadLook

Turn = Literal[0, 90, 180, 270]
TURNS: tuple[Turn, ...] = (0, 90, 180, 270)

LYING_DEGREES = 65.0
SURE_UPRIGHT, SURE_TURNED = 0.9, 0.8
CLEARLY_SURER = 0.05
WHOLE_SHARE = 0.94
SEARCHED_SIDE = 512
AROUND_FACE = 1.0


def turn_of(pixels: Pixels, face: Face | None, look: HeadLook | None) -> Turn:
    """Degrees, clockwise, that bring the face upright; 0 where it is, or where none is found either way.

    pixels: RGB, uint8. face: the main one that was found in them, look: what its mesh says. A mesh fits a face on its
    side but not one on its head; where the face is not surely found, it is looked for in the turned picture as well.
    """
    if look is not None and abs(look.roll) > LYING_DEGREES:
        return 270 if look.roll > 0 else 90
    if face is not None and face.confirmed and (face.score >= SURE_UPRIGHT or not _whole(face, pixels)):
        return 0
    part = np.asarray(_searched(Image.fromarray(pixels), face))
    scores = {turn: surest_score(np.ascontiguousarray(np.rot90(part, -turn // 90))) for turn in TURNS}
    best = max(TURNS, key=lambda turn: scores[turn])
    surer = scores[best] >= SURE_TURNED and scores[best] > scores[0] + CLEARLY_SURER
    return best if surer else 0


def _whole(face: Face, pixels: Pixels) -> bool:
    """Whether the face lies in the picture; of a part of one it cannot be told where it is surest."""
    height, width = pixels.shape[:2]
    return face.box.within(width, height).area >= WHOLE_SHARE * face.box.area


def _searched(picture: Image.Image, face: Face | None) -> Image.Image:
    """The square around the face, or the whole picture without one, at no more than 512 pixels a side."""
    if face is not None:
        reach = round(AROUND_FACE * max(face.box.width, face.box.height))
        left, top, right, bottom = face.box.corners()
        picture = picture.crop((left - reach, top - reach, right + reach, bottom + reach))
    small = picture.copy()
    small.thumbnail((SEARCHED_SIDE, SEARCHED_SIDE), Image.Resampling.BILINEAR)
    return small

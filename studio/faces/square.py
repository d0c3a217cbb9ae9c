"""The square around a head: what is kept of a face photo, and what reads a face is shown."""

from __future__ import annotations

from studio.faces.values import Box

# A face fills the middle of the square, hair and shoulders around it, as in a close-up.
SQUARE_IN_FACES = 2.2
HAIR_SHARE = 0.1


def square_around(face: Box, size: tuple[int, int]) -> Box:
    """The square around a face's head that lies inside a picture of size (width, height), as large as there is room."""
    side = min(round(SQUARE_IN_FACES * face.width), *size)
    middle = (face.left + face.right) / 2, (face.top + face.bottom) / 2 - HAIR_SHARE * face.height
    left, top = (
        round(min(max(centre - side / 2, 0), length - side))
        for centre, length in zip(middle, size, strict=True)
    )
    return Box(left=left, top=top, right=left + side, bottom=top + side)

"""Everything a verdict and a caption need, from one look at a clean picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from studio.faces.embeddings import CHIP_SIDE, embed, upright_face
from studio.faces.find import Pixels, find_faces
from studio.faces.look import head_look
from studio.faces.measures import blockiness, fingerprint, luma, measure
from studio.faces.portrait import upright_head
from studio.faces.turn import turn_of
from studio.faces.values import Box, Face, PhotoFindings
from studio.faces.working import scaled, working_copy

AROUND_FACE = 0.5


def check(picture: bytes) -> PhotoFindings:
    """What is found in a clean picture (as studio.intake.decode gives it): faces, measures, look, embedding.

    Boxes are in pixels of the whole picture; measuring is done at no more than 1600 pixels a side.
    """
    copy = working_copy(picture)
    pixels = copy.pixels
    faces = find_faces(pixels)
    main = faces[0] if faces else None
    chip = upright_face(pixels, main.box) if main else np.asarray(copy.image.resize((CHIP_SIDE, CHIP_SIDE)))
    head = upright_head(pixels, main.box) if main and main.confirmed else None
    look = head_look(head, len(pixels)) if head else None
    return PhotoFindings(
        width=copy.width,
        height=copy.height,
        faces=tuple(scaled(face, copy.scale) for face in faces),
        measures=measure(chip),
        embedding=embed(chip) if main else None,
        fingerprint=fingerprint(copy.image),
        blockiness=blockiness(luma(_blocks_seen(copy.image, main))),
        turned=turn_of(pixels, main, look),
        look=look,
    )


def _blocks_seen(image: Image.Image, face: Face | None) -> Pixels:
    """The part of the picture in which the blocks of JPEG matter: around the face, or all of it without one."""
    if face is None:
        return np.asarray(image)
    reach = round(AROUND_FACE * face.box.width)
    box = face.box
    around = Box(
        left=box.left - reach, top=box.top - reach, right=box.right + reach, bottom=box.bottom + reach
    )
    return np.asarray(image.crop(around.within(*image.size).corners()))

"""Everything a verdict needs, from one look at a clean picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from studio.faces.embeddings import CHIP_SIDE, embed, upright_face
from studio.faces.find import find_faces
from studio.faces.measures import fingerprint, measure
from studio.faces.values import Box, Face, PhotoFindings

WORKING_SIDE = 1600


def check(picture: bytes) -> PhotoFindings:
    """What is found in a clean picture (as studio.intake.decode gives it): faces, measures, embedding, fingerprint.

    Boxes are in pixels of the whole picture; measuring is done at no more than 1600 pixels a side.
    """
    image = Image.open(io.BytesIO(picture))
    width, height = image.size
    image.draft("RGB", (WORKING_SIDE, WORKING_SIDE))
    small = image.convert("RGB")
    small.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(small)
    faces = find_faces(pixels)
    scale = width / small.width
    chip = upright_face(pixels, faces[0].box) if faces else np.asarray(small.resize((CHIP_SIDE, CHIP_SIDE)))
    return PhotoFindings(
        width=width,
        height=height,
        faces=tuple(_scaled(face, scale) for face in faces),
        measures=measure(chip),
        embedding=embed(chip) if faces else None,
        fingerprint=fingerprint(small),
    )


def _scaled(face: Face, scale: float) -> Face:
    left, top, right, bottom = (round(side * scale) for side in face.box.corners())
    return face.model_copy(update={"box": Box(left=left, top=top, right=right, bottom=bottom)})

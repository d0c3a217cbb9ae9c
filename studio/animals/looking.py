"""From a photo to what an animal is made from: the one face measured, and the square around its head."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from studio.animals.traits import measure_traits
from studio.errors import SideFace
from studio.faces.process import FaceProcess
from studio.faces.square import square_around
from studio.id_photo.check import only_head
from studio.id_photo.head import measure_head
from studio.values import Traits

LONGEST_SIDE = 1024
JPEG_QUALITY = 95
# Beyond it one half of the face hides the other's proportions.
MOST_TURN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFace:
    """A face as jobs work from it. square: a JPEG of the square around the head, side pixels wide."""

    traits: Traits
    square: bytes
    side: int


def look_at(photo: bytes, faces: FaceProcess) -> SeenFace:
    """Look at a clean photo (as studio.intake.decode gives it). Raises NoFace, SeveralFaces, SideFace."""
    portrait = faces.portrait(photo)
    head = only_head(portrait)
    measures = measure_head(head)
    if max(abs(measures.yaw), abs(measures.pitch)) > MOST_TURN:
        raise SideFace(measures.yaw, measures.pitch, MOST_TURN)
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    square = image.crop(square_around(portrait.faces[0].box, image.size).corners())
    square.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    square.save(stream, "JPEG", quality=JPEG_QUALITY)
    return SeenFace(
        traits=measure_traits(np.asarray(image), head), square=stream.getvalue(), side=square.width
    )

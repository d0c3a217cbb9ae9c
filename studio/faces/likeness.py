"""How much a picture resembles reference photos: by face where there is one, else by colours and shapes."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from studio.faces.appearance import Appearance, appearance, appearance_distance
from studio.faces.check import WORKING_SIDE
from studio.faces.embeddings import distance, embed, upright_face
from studio.faces.find import find_faces
from studio.faces.values import Embedding, Likeness

NEAREST = 3
EVEN_FACE_DISTANCE = 0.6
FACE_DISTANCE_SPREAD = 0.08
COLOURS_DISTANCE_SCALE = 0.25
REMEMBERED = 128


@dataclass(frozen=True, slots=True)
class _Look:
    """What a picture is compared by. embedding: None where no face was found."""

    embedding: Embedding | None
    appearance: Appearance


def likeness(image: bytes, references: Sequence[bytes]) -> Likeness:
    """How much image resembles the nearest three of references (encoded pictures, at least one).

    "face": mean distance d of the dlib embeddings, as 1 / (1 + exp((d - 0.6) / 0.08)): 0.5 at the distance at which
    dlib tells people apart, 0.98 at 0.3, 0.04 at 0.85. "colours" where image or all references show no face: mean
    distance of the appearances (see studio.faces.appearance), as exp(-d / 0.25). Raises ValueError without references.
    """
    if not references:
        raise ValueError("likeness needs at least one reference picture")
    seen = _look(image)
    others = [_look(reference) for reference in references]
    faces = [other.embedding for other in others if other.embedding is not None]
    if seen.embedding is not None and faces:
        apart = _nearest([distance(seen.embedding, face) for face in faces])
        return Likeness(score=face_score(apart), measure="face")
    apart = _nearest([appearance_distance(seen.appearance, other.appearance) for other in others])
    return Likeness(score=round(math.exp(-apart / COLOURS_DISTANCE_SCALE), 4), measure="colours")


def face_score(apart: float) -> float:
    """The likeness, 0 to 1, of two faces whose embeddings are apart."""
    return round(1 / (1 + math.exp((apart - EVEN_FACE_DISTANCE) / FACE_DISTANCE_SPREAD)), 4)


def embedding_of(picture: bytes) -> Embedding | None:
    """The embedding of the main face of an encoded picture, or None without one."""
    return _look(picture).embedding


def _nearest(distances: Sequence[float]) -> float:
    nearest = sorted(distances)[:NEAREST]
    return sum(nearest) / len(nearest)


def _look(picture: bytes) -> _Look:
    return _remembered_look(hashlib.sha256(picture).hexdigest(), _Encoded(picture))


class _Encoded:
    """Picture bytes that do not count in a cache key: the hash beside them stands for them."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Encoded)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=REMEMBERED)
def _remembered_look(_sha256: str, picture: _Encoded) -> _Look:
    image = Image.open(io.BytesIO(picture.data)).convert("RGB")
    image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    faces = [face for face in find_faces(pixels) if face.confirmed]
    box = faces[0].box if faces else None
    embedding = embed(upright_face(pixels, box)) if box else None
    return _Look(embedding=embedding, appearance=appearance(image, box))

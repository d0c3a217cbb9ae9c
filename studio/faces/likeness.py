"""How much a picture resembles reference photos: by face where there is one, else by colours and shapes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from statistics import median

import numpy as np

from studio.faces.appearance import Appearance, appearance_distance, appearances
from studio.faces.embeddings import distance, embed, upright_face
from studio.faces.find import Pixels, find_faces
from studio.faces.measures import measure
from studio.faces.values import Embedding, Face, Likeness, Resemblance
from studio.faces.working import working_copy

NEAREST_FACES = 3
SURE_FACE = 0.85
SHARP_FACE = 50.0
EVEN_FACE_DISTANCE = 0.6
FACE_DISTANCE_SPREAD = 0.08
COLOURS_DISTANCE_SCALE = 0.25
HEAD_SPREAD = 0.08
HEAD_DISTANCE_SCALE = 0.15
REMEMBERED = 128


@dataclass(frozen=True, slots=True)
class _Look:
    """What a picture is compared by. embedding: None where no face can be told. appearances: the centred one first."""

    embedding: Embedding | None
    appearances: tuple[Appearance, ...]


def likeness(image: bytes, references: Sequence[bytes]) -> Likeness:
    """How much image resembles references (encoded pictures, at least one).

    "face": mean distance d of the dlib embeddings of the nearest three, as 1 / (1 + exp((d - 0.6) / 0.08)): 0.5 at the
    distance at which dlib tells people apart, 0.98 at 0.3, 0.04 at 0.85. "colours": distance of the appearance (see
    studio.faces.appearance) to the nearest one, as exp(-d / 0.25), where image or all references show no face that can
    be told: surely found and sharp, for the embedding of a smudge says nothing. Raises ValueError without references.
    """
    if not references:
        raise ValueError("likeness needs at least one reference picture")
    seen, others = _look(image), [_look(reference) for reference in references]
    score = _face_likeness(seen, others)
    if score is not None:
        return Likeness(score=score, measure="face")
    return Likeness(score=_colours_likeness(seen, others), measure="colours")


def resemblance(image: bytes, references: Sequence[bytes]) -> Resemblance:
    """Two measures of likeness side by side, for pictures that are compared with each other.

    face: as likeness gives it. head: the median of the distances of the appearance to the references, only the face and
    its hair counting, as exp(-d / 0.15), so that neither asked clothes nor one similar photo decide. Raises ValueError
    without references.
    """
    if not references:
        raise ValueError("resemblance needs at least one reference picture")
    seen, others = _look(image), [_look(reference) for reference in references]
    return Resemblance(face=_face_likeness(seen, others), head=_head_likeness(seen, others))


def variety(images: Sequence[bytes]) -> float:
    """How different pictures are: 1 less the mean likeness by colours and shapes of each two; 0 for fewer than two."""
    looks = [_look(image) for image in images]
    alike = [_colours_likeness(one, [other]) for one, other in combinations(looks, 2)]
    return round(1 - sum(alike) / len(alike), 4) if alike else 0.0


def _face_likeness(seen: _Look, others: Sequence[_Look]) -> float | None:
    """The likeness of faces, None where the picture or all others show none that can be told."""
    faces = [other.embedding for other in others if other.embedding is not None]
    if seen.embedding is None or not faces:
        return None
    nearest = sorted(distance(seen.embedding, face) for face in faces)[:NEAREST_FACES]
    return face_score(sum(nearest) / len(nearest))


def _colours_likeness(seen: _Look, others: Sequence[_Look]) -> float:
    apart = min(appearance_distance(seen.appearances, other.appearances) for other in others)
    return round(math.exp(-apart / COLOURS_DISTANCE_SCALE), 4)


def _head_likeness(seen: _Look, others: Sequence[_Look]) -> float:
    distances = [appearance_distance(seen.appearances, other.appearances, HEAD_SPREAD) for other in others]
    return round(math.exp(-median(distances) / HEAD_DISTANCE_SCALE), 4)


def face_score(apart: float) -> float:
    """The likeness, 0 to 1, of two faces whose embeddings are apart."""
    return round(1 / (1 + math.exp((apart - EVEN_FACE_DISTANCE) / FACE_DISTANCE_SPREAD)), 4)


def embedding_of(picture: bytes) -> Embedding | None:
    """The embedding of the main face of an encoded picture, or None without a face that can be told."""
    return _look(picture).embedding


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
    image = working_copy(picture.data).image
    pixels = np.asarray(image)
    faces = [face for face in find_faces(pixels) if face.confirmed]
    box = faces[0].box if faces else None
    embedding = _telling_embedding(pixels, faces[0]) if faces else None
    return _Look(embedding=embedding, appearances=appearances(image, box))


def _telling_embedding(pixels: Pixels, face: Face) -> Embedding | None:
    chip = upright_face(pixels, face.box)
    sure = face.score >= SURE_FACE and measure(chip).sharpness >= SHARP_FACE
    return embed(chip) if sure else None

"""Photos that belong together: of one person, or nearly the same picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from studio.faces.embeddings import distance
from studio.faces.values import HeadLook, PhotoFindings
from studio.intake.values import JudgedPhoto

SAME_PERSON = 0.6
SAME_PICTURE_BITS = 4
SAME_SCENE_BITS = 8
# What differs by less between two heads is not seen; measured on one photo cropped and compressed again.
SAME_ANGLE_DEGREES = 4.0
SAME_MOUTH = 0.05

Alike = Callable[[PhotoFindings, PhotoFindings], bool]


def grouped(photos: Sequence[JudgedPhoto], alike: Alike) -> list[list[JudgedPhoto]]:
    """Groups joined by any alike pair, the one with the earliest photo first."""
    groups: list[list[JudgedPhoto]] = []
    for photo in photos:
        near = [group for group in groups if any(alike(photo.findings, member.findings) for member in group)]
        merged = [*(member for group in near for member in group), photo]
        keep = [group for group in groups if group not in near]
        place = groups.index(near[0]) if near else len(keep)
        groups = [*keep[:place], merged, *keep[place:]]
    return groups


def same_person(one: PhotoFindings, other: PhotoFindings) -> bool:
    """Whether the faces are of one person, as far as can be told."""
    return apart(one, other) < SAME_PERSON


def apart(one: PhotoFindings, other: PhotoFindings) -> float:
    """The distance of two faces' embeddings; 0 where one of them has none."""
    if one.embedding is None or other.embedding is None:
        return 0.0
    return distance(one.embedding, other.embedding)


def same_picture(one: PhotoFindings, other: PhotoFindings) -> bool:
    """Whether two photos show the same: the same picture, or nearly the same with the same face on it."""
    bits = (int(one.fingerprint, 16) ^ int(other.fingerprint, 16)).bit_count()
    if bits <= SAME_PICTURE_BITS:
        return True
    if bits > SAME_SCENE_BITS or one.look is None or other.look is None:
        return False
    return _same_look(one.look, other.look)


def _same_look(one: HeadLook, other: HeadLook) -> bool:
    turned = max(abs(one.yaw - other.yaw), abs(one.pitch - other.pitch), abs(one.roll - other.roll))
    moved = max(abs(one.smile - other.smile), abs(one.mouth_open - other.mouth_open))
    return turned < SAME_ANGLE_DEGREES and moved < SAME_MOUTH

"""Where a face is in each frame of an animation."""

from __future__ import annotations

from studio.animation.clip import opened
from studio.faces.find import find_faces
from studio.faces.values import Box

SAME_FACE = 0.1


def frame_faces(animation: bytes) -> tuple[Box | None, ...]:
    """The box of the main face in each frame of an animated PNG, None where there is none.

    Of several faces the one is taken that overlaps most with the face of the frame before, else the widest. Frames that
    are equal are looked at once.
    """
    seen: dict[bytes, tuple[Box, ...]] = {}
    boxes: list[Box | None] = []
    before: Box | None = None
    for frame in opened(animation).frames:
        key = frame.tobytes()
        if key not in seen:
            seen[key] = tuple(face.box for face in find_faces(frame))
        found = _same_face(seen[key], before)
        boxes.append(found)
        before = found or before
    return tuple(boxes)


def _same_face(found: tuple[Box, ...], before: Box | None) -> Box | None:
    if before is None or not found:
        return next(iter(found), None)
    nearest = max(found, key=before.overlap)
    return nearest if before.overlap(nearest) >= SAME_FACE else found[0]

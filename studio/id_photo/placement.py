"""Where a head must stand in a document's picture, and the transform that puts it there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.faces.similarity import Similarity
from studio.id_photo.documents import DocumentSpec, eye_line_limits
from studio.id_photo.head import HeadMeasures

STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Lengths on paper in mm. head: chin to crown. eyes: of the eye line above the lower edge. top: crown to edge."""

    head: float
    eyes: float
    top: float


def place(spec: DocumentSpec, measures: HeadMeasures) -> Placement:
    """The placement nearest to the middle of the document's head range that keeps the ranges of eyes and top as well.

    Where this head cannot keep all of them, head height and eye line come first.
    """
    share = measures.above_eyes / measures.height
    half = (spec.head.max - spec.head.min) / 2
    offsets = sorted((step / STEPS * 2 - 1 for step in range(STEPS + 1)), key=abs)
    for offset in offsets:
        head = spec.head.middle + offset * half
        low, high = eye_line_limits(spec, head, head * share)
        if low <= high:
            return _placement(spec, head, (low + high) / 2, share)
    low, high = eye_line_limits(spec, spec.head.middle, spec.head.middle * share)
    nearest = min(max((low + high) / 2, spec.eyes.min), spec.eyes.max) if spec.eyes else (low + high) / 2
    return _placement(spec, spec.head.middle, nearest, share)


def _placement(spec: DocumentSpec, head: float, eyes: float, share: float) -> Placement:
    return Placement(head=head, eyes=eyes, top=spec.height - eyes - head * share)


def into_picture(spec: DocumentSpec, measures: HeadMeasures, dpi: int, placement: Placement) -> Similarity:
    """From the head's frame to the picture's pixels: upright, in the middle, at its height."""
    width, height = spec.size(dpi)
    scale = placement.head / spec.height * height / measures.height
    target = (width / 2, height * (1 - placement.eyes / spec.height))
    return Similarity.about(scale, math.radians(-measures.roll), (measures.middle, measures.eyes), target)

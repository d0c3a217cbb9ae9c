"""What a document's rule may say. Ranges live in the types; unknown keys are refused.

Lengths are millimetres on paper; pixels are derived from them at any resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, HttpUrl, StringConstraints

from studio.library.product import Spec
from studio.values import Words

MM_PER_INCH = 25.4
HEAD_STEPS, SHARE_STEPS = 20, 6
# Eyes to crown as a share of chin to crown, over adults with and without full hair: a rule that fits nobody in this
# range contradicts itself. The lower half of the head is about half of it (Farkas 1994, vertical canon of halves).
LEAST_EYES_TO_CROWN, MOST_EYES_TO_CROWN = 0.45, 0.6

Millimetres = Annotated[float, Field(gt=0, le=300)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
Changes = Literal["none", "background", "retouch"]
Unchecked = Literal[
    "size", "head", "eyes", "top", "background", "kilobytes", "pixels", "changes", "expression", "source"
]
Path = tuple[str | int, ...]


class Range(Spec):
    """From min to max, both included."""

    min: Annotated[float, Field(ge=0, le=300)]
    max: Annotated[float, Field(ge=0, le=300)]

    @property
    def middle(self) -> float:
        """Halfway between both."""
        return (self.min + self.max) / 2

    def holds(self, value: float) -> bool:
        """Whether value lies within."""
        return self.min <= value <= self.max


class Background(Spec):
    """What must be behind the person. colours: as #rrggbb; the first is the one put there.

    tolerance: how far from the nearest of them the background may be, as the CIE 1976 colour difference.
    """

    colours: Annotated[tuple[Colour, ...], Field(min_length=1, max_length=6)]
    tolerance: Annotated[float, Field(gt=0, le=60)]


class Kilobytes(Spec):
    """How large the file may be. A kilobyte is taken so that both readings of the word are kept (1000 and 1024)."""

    min: Annotated[int, Field(ge=1, le=20_000)] | None = None
    max: Annotated[int, Field(ge=2, le=20_000)]

    @property
    def least_bytes(self) -> int:
        """The smallest file that is large enough by either reading."""
        return (self.min or 0) * 1024

    @property
    def most_bytes(self) -> int:
        """The largest file that is small enough by either reading."""
        return self.max * 1000


class Pixels(Spec):
    """The smallest and largest picture that is taken, as [width, height]."""

    min: tuple[Annotated[int, Field(ge=50, le=10_000)], Annotated[int, Field(ge=50, le=10_000)]]
    max: tuple[Annotated[int, Field(ge=50, le=10_000)], Annotated[int, Field(ge=50, le=10_000)]]


class Source(Spec):
    """Where the rule stands. url: None for a custom that no authority has set down.

    date: of the rule, or of the day it was read, as YYYY-MM or YYYY-MM-DD.
    """

    authority: Words
    url: HttpUrl | None = None
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]


class DocumentSpec(Spec):
    """One document's rule.

    width, height: of the picture. dpi: the resolution that its pixels are derived at unless another is asked for.
    head: from chin to crown, the hair included. eyes: of the eye line above the lower edge. top: from the crown to the
    upper edge. kilobytes, pixels: of the file. changes: what may be altered beside turning and cropping: "none",
    "background" (replaced), "retouch" (and mild correction of light and skin). expression: "neutral" asks for a closed
    mouth. unchecked: the parts that could not be compared with the authority's own page.
    """

    title: Words
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    kind: Literal["passport", "visa", "identity_card", "licence", "resume", "other"]
    width: Millimetres
    height: Millimetres
    dpi: Annotated[int, Field(ge=100, le=1200)] = 300
    head: Range
    eyes: Range | None = None
    top: Range | None = None
    background: Background
    kilobytes: Kilobytes | None = None
    pixels: Pixels | None = None
    changes: Changes
    expression: Literal["neutral", "free"] = "neutral"
    source: Source
    unchecked: tuple[Unchecked, ...] = ()
    notes: Words | None = None

    def size(self, dpi: int | None = None) -> tuple[int, int]:
        """Width and height in pixels, at the document's own resolution unless another is given."""
        return pixels_of(self.width, dpi or self.dpi), pixels_of(self.height, dpi or self.dpi)


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a document file, for editors."""
    schema = DocumentSpec.model_json_schema(mode="validation")
    schema["title"] = "Sajin ID document"
    return schema


def pixels_of(millimetres: float, dpi: float) -> int:
    """A length as whole pixels."""
    return round(millimetres * dpi / MM_PER_INCH)


def contradictions(spec: DocumentSpec) -> Iterator[tuple[Path, str]]:
    """What in a rule cannot hold together: (path of the key, reason)."""
    problems = [*_turned_ranges(spec), *_too_large_parts(spec)]
    yield from problems
    yield from _file_problems(spec)
    if spec.eyes is None and spec.top is None:
        yield ("head",), "needs eyes or top beside it: nothing says how high the head stands"
    if not problems and not _fits_some_face(spec):
        key = "eyes" if spec.eyes else "top"
        yield (key,), "contradicts head and height: no face can keep all of them"


def _fits_some_face(spec: DocumentSpec) -> bool:
    """Whether a head of some allowed height and some human proportion keeps every range."""
    heads = [
        spec.head.min + (spec.head.max - spec.head.min) * step / HEAD_STEPS for step in range(HEAD_STEPS + 1)
    ]
    spread = MOST_EYES_TO_CROWN - LEAST_EYES_TO_CROWN
    shares = [LEAST_EYES_TO_CROWN + spread * step / SHARE_STEPS for step in range(SHARE_STEPS + 1)]
    limits = (eye_line_limits(spec, head, head * share) for head in heads for share in shares)
    return any(low <= high for low, high in limits)


def eye_line_limits(spec: DocumentSpec, head: float, above: float) -> tuple[float, float]:
    """The lowest and highest eye line that a rule allows a head of that height; above: from eyes to crown, in mm."""
    eyes = spec.eyes or Range(min=0, max=spec.height)
    top = spec.top or Range(min=0, max=spec.height)
    low = max(eyes.min, spec.height - top.max - above, head - above)
    return low, min(eyes.max, spec.height - top.min - above)


def _turned_ranges(spec: DocumentSpec) -> Iterator[tuple[Path, str]]:
    for key in ("head", "eyes", "top"):
        part: Range | None = getattr(spec, key)
        if part and part.min > part.max:
            yield (key,), f"min {part.min:g} is more than max {part.max:g}"
    if spec.kilobytes and spec.kilobytes.least_bytes > spec.kilobytes.most_bytes:
        yield ("kilobytes",), f"min {spec.kilobytes.min} leaves no room below max {spec.kilobytes.max}"
    if spec.pixels and any(low > high for low, high in zip(spec.pixels.min, spec.pixels.max)):
        yield ("pixels",), f"min {list(spec.pixels.min)} is more than max {list(spec.pixels.max)}"


def _too_large_parts(spec: DocumentSpec) -> Iterator[tuple[Path, str]]:
    if spec.head.max >= spec.height:
        yield ("head",), f"max {spec.head.max:g} mm does not fit into a height of {spec.height:g} mm"
    for key in ("eyes", "top"):
        part: Range | None = getattr(spec, key)
        if part and part.max >= spec.height:
            yield (key,), f"max {part.max:g} mm does not fit into a height of {spec.height:g} mm"


def _file_problems(spec: DocumentSpec) -> Iterator[tuple[Path, str]]:
    if spec.pixels is None:
        return
    size = spec.size()
    fits = all(low <= side <= high for low, side, high in zip(spec.pixels.min, size, spec.pixels.max))
    if not fits and spec.pixels.min <= spec.pixels.max:
        yield (
            ("dpi",),
            f"{spec.dpi} makes {size[0]} x {size[1]} pixels, which pixels does not allow",
        )

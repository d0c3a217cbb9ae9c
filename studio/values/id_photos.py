"""ID photos: what a check finds, each measured value beside its rule, and the photos that are kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from studio.values.base import Value, Words

Unit = Literal["mm", "degrees", "share", "delta_e", "bytes", "pixels", "levels", "factor"]


class CheckCode(StrEnum):
    """What is checked; the border words it and says how to retake."""

    PROPORTIONS = "proportions"
    PIXELS = "pixels"
    FILE_SIZE = "file_size"
    HEAD_HEIGHT = "head_height"
    EYE_LINE = "eye_line"
    TOP_MARGIN = "top_margin"
    CENTRED = "centred"
    ROLL = "roll"
    YAW = "yaw"
    PITCH = "pitch"
    BACKGROUND = "background"
    INSIDE = "inside"
    DETAIL = "detail"
    SHARPNESS = "sharpness"
    LIGHT = "light"
    EVEN_LIGHT = "even_light"
    EYES_OPEN = "eyes_open"
    DARK_GLASSES = "dark_glasses"
    EXPRESSION = "expression"


class Finding(Value):
    """One measured value. least, most: the limits, None where there is none on that side."""

    code: CheckCode
    value: float
    unit: Unit
    least: float | None = None
    most: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the value keeps its limits."""
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )


class CheckReport(Value):
    """The check of a picture of width by height pixels against a document's rule."""

    document: str
    width: int
    height: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether every value keeps its limits."""
        return all(finding.passed for finding in self.findings)

    def finding(self, code: CheckCode) -> Finding | None:
        """The finding of that code, None where the document has no rule for it."""
        return next((finding for finding in self.findings if finding.code is code), None)


class IdPhoto(Value):
    """A kept ID photo, or with made false the kept check of a photo as it was sent.

    title: the document's. width_mm, height_mm: on paper. width, height: pixels. dpi, file_bytes: None for a check.
    """

    id: str
    made: bool
    title: Words
    subject_id: str | None
    width_mm: float
    height_mm: float
    dpi: int | None
    file_bytes: int | None
    report: CheckReport
    created_at: datetime


class IdPhotoQuery(Value):
    """Which ID photos to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class IdPhotoPage(Value):
    """ID photos, newest first, and the cursor to the rest."""

    items: tuple[IdPhoto, ...]
    next: str | None


Dpi = Annotated[int, Field(ge=100, le=1200)]


class SheetPicture(Value):
    """An ID photo on a sheet. count: None for as often as there is room."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    count: Annotated[int, Field(ge=1, le=200)] | None = None


class SheetRequest(Value):
    """A sheet to print. gap: mm between pictures."""

    photos: Annotated[tuple[SheetPicture, ...], Field(min_length=1, max_length=20)]
    paper: Literal["10x15", "13x18", "a4", "4x6in", "5x7in"] = "10x15"
    format: Literal["pdf", "jpeg"] = "pdf"
    gap: Annotated[float, Field(ge=0, le=20)] = 2.0
    cut_marks: bool = True
    dpi: Annotated[int, Field(ge=100, le=600)] = 300

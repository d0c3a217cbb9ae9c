"""What a check finds: each measured value beside its rule. JSON-ready values."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.values import Value

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

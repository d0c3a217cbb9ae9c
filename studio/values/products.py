"""Presets and poses as the catalogue shows them."""

from __future__ import annotations

from typing import Literal

from studio.values.base import Scalar, Value, Words


class PresetOption(Value):
    """One thing a caller may change. stage: None for the whole job. choices: for kind "choice"."""

    key: str
    kind: Literal["integer", "number", "text", "choice", "picture"]
    default: Scalar
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    stage: str | None = None


class MissingPart(Value):
    """Something a preset needs and no server has. server: the first that lacks it. stage: that needs it."""

    kind: str
    name: str
    server: str
    stage: str


class PresetStage(Value):
    """A stage as the catalogue shows it. title: None where the preset gives none."""

    name: str
    use: str
    title: Words | None = None


class Preset(Value):
    """A product of the studio as the catalogue shows it. version: hash of its content.

    missing: what keeps it from being made. left_out: what it is made without, for no server has it.
    """

    name: str
    title: Words
    description: Words
    identity: Literal["lora", "instant", "none"]
    product: str
    version: str
    stages: tuple[PresetStage, ...]
    has_thumbnail: bool
    options: tuple[PresetOption, ...]
    available: bool
    missing: tuple[MissingPart, ...]
    left_out: tuple[MissingPart, ...]


class Offer(Value):
    """A product as the start page offers it. presets: those that make it, the first one first; none for no preset.

    missing: what no server has, where none of the presets can be made. obstacle: why nobody can be learned, a code of
    TrainingAvailability, where the product learns.
    """

    name: str
    title: Words
    description: Words
    has_thumbnail: bool
    presets: tuple[str, ...]
    available: bool
    missing: tuple[MissingPart, ...]
    obstacle: str | None


class PresetProblem(Value):
    """What is wrong in a preset or prompt file, and where. line: from 1, 0 if unknown."""

    file: str
    line: int
    key: str
    reason: str

    def sentence(self) -> str:
        """file:line: key: reason."""
        return f"{self.file}:{self.line}: {self.key}: {self.reason}"


class PresetCheck(Value):
    """The verdict on a preset text."""

    ok: bool
    problems: tuple[PresetProblem, ...]


class Pose(Value):
    """A picture whose pose a job may borrow. bundled: shipped with the studio, else uploaded."""

    id: str
    title: Words
    bundled: bool

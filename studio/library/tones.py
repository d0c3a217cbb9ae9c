"""The tones a job may choose: film looks as words, each for the stage that takes the tone. All data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter

from studio.library.checked import read_checked
from studio.library.product import Tone
from studio.library.prompts import PromptLibrary
from studio.values import PresetProblem

FILE = "tones.yaml"
ToneName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)]
TONES = TypeAdapter(dict[ToneName, Tone])


def read_tones(folder: Path, prompts: PromptLibrary) -> tuple[Mapping[str, Tone], list[PresetProblem]]:
    """Read the folder's tones.yaml, in its order; none without the file. What is wrong comes beside no tones."""
    file = folder / FILE
    if not file.exists():
        return {}, []
    read = read_checked(file, TONES)
    if isinstance(read, list):
        return {}, read
    problems = [
        PresetProblem(
            file=file.name, line=read.document.line((name, key)), key=f"{name}.{key}", reason=reason
        )
        for name, tone in read.value.items()
        for key, text in (("prompt", tone.prompt), ("negative_prompt", tone.negative_prompt))
        if (reason := prompts.problem(text))
    ]
    return ({}, problems) if problems else (read.value, [])

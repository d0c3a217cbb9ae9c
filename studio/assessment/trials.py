"""The validation pictures: prompts and seeds no training has seen, each asking for other colours round the face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.library.product import PresetSpec

DEMONSTRATION_STEPS, STEPS = 12, 20
FIRST_WEIGHT = 0.85
OTHER_WEIGHTS = (0.7, 1.0)
MOST_CANDIDATES = 4
STAGE = "trial"

# sRGB; the middle of what people call by the name.
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (196, 38, 40),
    "blue": (44, 84, 190),
    "green": (44, 140, 70),
    "yellow": (236, 202, 62),
    "white": (238, 238, 236),
    "black": (28, 28, 31),
    "gray": (134, 136, 140),
    "pink": (236, 142, 178),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One validation picture. clothes, background: keys of COLOURS."""

    number: int
    prompt: str
    clothes: str
    background: str
    seed: int


def _trial(number: int, words: str, clothes: str, background: str) -> Trial:
    prompt = words.format(subject="{subject}", clothes=clothes, background=background)
    return Trial(
        number=number, prompt=prompt, clothes=clothes, background=background, seed=3_141_592_653 + number
    )


TRIALS = (
    _trial(0, "photo of a {subject}, {clothes} shirt, {background} background, soft light", "red", "blue"),
    _trial(1, "photo of a {subject}, smiling, {clothes} sweater, {background} background", "white", "green"),
    _trial(2, "portrait of a {subject}, {clothes} suit, {background} background", "blue", "yellow"),
    _trial(3, "photo of a {subject}, {clothes} shirt, {background} background, side light", "green", "pink"),
)


def preset_of(trial: Trial, weight: float, *, demonstration: bool) -> PresetSpec:
    """The trial as a preset of one stage, so that it is planned like every picture of the studio."""
    written: dict[str, Any] = {
        "title": {"en": "Trial", "ko": "검증"},
        "width": 512,
        "height": 512,
        "prompt": trial.prompt,
        "lora_weight": weight,
        "steps": DEMONSTRATION_STEPS if demonstration else STEPS,
        "stages": {STAGE: {"use": "txt2img"}},
    }
    return PresetSpec.model_validate(written)

"""Checking a request's numbers and texts, and what fills the gaps: styles, comments, infotext, drawn seeds."""

from __future__ import annotations

import csv
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui_client import infotext
from webui_engine.diffusion.samplers import find_sampler
from webui_engine.errors import BadValue, UnknownName, WouldBeIgnored
from webui_engine.http.pasting import shown_parameters
from webui_engine.http.schema import GenerationRequest

MAX_SIDE = 8192
MAX_PICTURES = 128
MAX_STEPS = 1000
LARGEST_SEED = 2**63 - 1 - MAX_PICTURES
FROM_INFOTEXT = {
    "Prompt": "prompt",
    "Negative prompt": "negative_prompt",
    "Steps": "steps",
    "Sampler": "sampler_name",
    "Schedule type": "scheduler",
    "CFG scale": "cfg_scale",
    "Seed": "seed",
    "Variation seed": "subseed",
    "Variation seed strength": "subseed_strength",
    "Denoising strength": "denoising_strength",
    "Size-1": "width",
    "Size-2": "height",
    "Hires upscale": "hr_scale",
    "Hires steps": "hr_second_pass_steps",
    "Hires upscaler": "hr_upscaler",
    "Hires sampler": "hr_sampler_name",
    "Hires schedule type": "hr_scheduler",
    "Hires checkpoint": "hr_checkpoint_name",
    "Hires prompt": "hr_prompt",
    "Hires negative prompt": "hr_negative_prompt",
}
"""Infotext keys and the request fields they fill."""

OPTIONS_FROM_INFOTEXT = {
    "Clip skip": "CLIP_stop_at_last_layers",
    "ENSD": "eta_noise_seed_delta",
    "Emphasis": "emphasis",
    "Noise multiplier": "initial_noise_multiplier",
    "Tiling": "tiling",
    "VAE": "sd_vae",
}
"""Infotext keys and the options they override, of those that the engine acts on; the checkpoint is not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A named pair of prompt texts; ``{prompt}`` in one stands for the request's own."""

    name: str
    prompt: str
    negative_prompt: str


def read_styles(path: Path) -> tuple[Style, ...]:
    """The styles of an A1111 ``styles.csv`` (name, prompt, negative_prompt); none where there is no file."""
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("name")]
    return tuple(
        Style(
            name=row["name"], prompt=row.get("prompt") or "", negative_prompt=row.get("negative_prompt") or ""
        )
        for row in rows
    )


def styled(text: str, additions: Sequence[str]) -> str:
    """Text with style texts applied in order, by A1111's rule: wrap at ``{prompt}``, else append after a comma."""
    for addition in additions:
        if "{prompt}" in addition:
            text = addition.replace("{prompt}", text)
        else:
            text = ", ".join(part for part in (text.strip(), addition.strip()) if part)
    return text


def worded(prompt: str, negative_prompt: str, styles: Sequence[Style]) -> tuple[str, str]:
    """Both texts with the styles applied and the comments taken out."""
    positive = styled(prompt, [style.prompt for style in styles])
    negative = styled(negative_prompt, [style.negative_prompt for style in styles])
    return without_comments(positive), without_comments(negative)


def pick_styles(known: Sequence[Style], names: Sequence[str] | None) -> tuple[Style, ...]:
    """The named styles; raises UnknownName."""
    by_name = {style.name: style for style in known}
    for name in names or ():
        if name not in by_name:
            raise UnknownName("style", name, list(by_name))
    return tuple(by_name[name] for name in names or ())


def without_comments(text: str) -> str:
    """Text without A1111's comments: from ``#`` to the end of the line; a line that is only a comment vanishes."""
    return re.sub(r"#.*", "", re.sub(r"(?m)^#.*\n?", "", text))


def filled_from_infotext(request: GenerationRequest, options: Mapping[str, Any]) -> GenerationRequest:
    """The request with what was not sent taken from its ``infotext`` field; what was sent wins.

    options: their current values; those for which the infotext has another one are overridden.
    """
    if not request.infotext:
        return request
    settings = shown_parameters(infotext.parse(request.infotext))
    values: dict[str, Any] = {field: settings[key] for key, field in FROM_INFOTEXT.items() if key in settings}
    sent = request.__fields_set__
    fills = {
        field: value for field, value in values.items() if field in request.__fields__ and field not in sent
    }
    overrides = _overrides_from(settings, options) | (request.override_settings or {})
    return type(request).parse_obj(request.dict(include=sent) | fills | {"override_settings": overrides})


def _overrides_from(settings: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        option: _like(options[option], settings[key])
        for key, option in OPTIONS_FROM_INFOTEXT.items()
        if key in settings
    }
    return {option: value for option, value in told.items() if value != options[option]}


def _like(current: Any, text: str) -> Any:
    """A value of an infotext in the type of the option's current one; raises BadValue."""
    if isinstance(current, bool):
        return text == "True"
    try:
        return type(current)(text)
    except ValueError as error:
        raise BadValue("infotext", text, f"{type(current).__name__} was expected") from error


def check_numbers(request: GenerationRequest, sampler: str) -> None:
    """Raise WouldBeIgnored for a number that the sampler of this name follows in A1111 and not here."""
    for field, value in find_sampler(sampler).fixed.items():
        asked = getattr(request, field)
        if asked not in (None, value):
            raise WouldBeIgnored(field, asked, f"{sampler} always runs with {value:g}")


def drawn_seed(field: str, seed: int | None) -> int:
    """The seed itself, or a fresh one of 32 bits for -1 and null; raises BadValue for one of more than 64 bits."""
    if seed in (None, -1):
        return secrets.randbelow(2**32)
    return whole(field, seed, least=-LARGEST_SEED, most=LARGEST_SEED)


def side(field: str, value: int | None) -> int:
    """A width or height in pixels, rounded down to a multiple of 8 as A1111 does; raises BadValue."""
    number = whole(field, value, least=8, most=MAX_SIDE)
    return number // 8 * 8


def whole(field: str, value: int | None, *, least: int, most: int) -> int:
    """A whole number in a range, both ends in it; raises BadValue."""
    if value is None or not least <= value <= most:
        raise BadValue(field, value, f"a whole number from {least} to {most} was expected")
    return value


def real(field: str, value: float | None, *, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number in a range, both ends in it; raises BadValue."""
    if value is None or not math.isfinite(value) or not least <= value <= most:
        raise BadValue(field, value, f"a number from {least:g} to {most:g} was expected")
    return value


def text(field: str, value: str | None) -> str:
    """A text that is there; raises BadValue for null."""
    if value is None:
        raise BadValue(field, value, "a text was expected")
    return value

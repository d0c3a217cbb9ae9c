"""What a job may change about a preset's stages, and the list of it for the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from studio.errors import InvalidRequest
from studio.library.product import STYLE_LORAS, AnimateSpec, AnyStage, PresetSpec, SampledStage, StyleLora
from studio.library.reading import Library
from studio.values import MAX_SEED, MOST_CANDIDATES, JobOptions, PresetOption

OVERRIDABLE = (
    "prompt",
    "negative_prompt",
    "steps",
    "cfg_scale",
    "sampler",
    "scheduler",
    "denoising_strength",
    "scale",
    "frames",
    "fps",
    "travel",
    "loras",
)
TEXTS = ("prompt", "negative_prompt")
NUMBERS = ("steps", "cfg_scale", "denoising_strength", "scale", "frames", "fps")
INTEGERS = ("steps", "frames", "fps")
NUMBER_DEFAULTS = {"steps": 30, "cfg_scale": 7.0}


def overridden(spec: PresetSpec, options: JobOptions) -> PresetSpec:
    """The preset with a job's overrides in it. Raises InvalidRequest naming every wrong one."""
    problems = list(_unknown(spec, options))
    if problems:
        raise InvalidRequest(problems)
    data = spec.model_dump()
    for name, changes in options.stages.items():
        data["stages"][name].update(changes)
    try:
        return PresetSpec.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest([(_place(entry["loc"]), entry["msg"]) for entry in error.errors()]) from error


def extra_loras(options: JobOptions) -> tuple[StyleLora, ...]:
    """The style LoRAs that a job adds to the preset's own. Raises InvalidRequest."""
    try:
        return STYLE_LORAS.validate_python(options.loras)
    except ValidationError as error:
        raise InvalidRequest([("options.loras", entry["msg"]) for entry in error.errors()]) from error


def check_options(spec: PresetSpec, options: JobOptions, library: Library) -> None:
    """Raise InvalidRequest for overrides the preset does not take, words that are no template, unknown choices."""
    changed = overridden(spec, options)
    extra_loras(options)
    texts = {"options.prompt": options.prompt, "options.negative_prompt": options.negative_prompt}
    for name in options.stages:
        stage = changed.sampled[name]
        texts[f"options.stages.{name}.prompt"] = stage.prompt or ""
        texts[f"options.stages.{name}.negative_prompt"] = stage.negative_prompt or ""
        texts[f"options.stages.{name}.travel"] = getattr(stage, "travel", "")
    problems = [(place, reason) for place, text in texts.items() if (reason := library.prompts.problem(text))]
    if spec.takes_photo and options.photo is None and spec.identity != "instant":
        problems.append(("options.photo", "this preset works from a face photo; send one first"))
    if options.image is not None and not spec.animates:
        problems.append(("options.image", "this preset begins with no finished picture"))
    if spec.names_animal and options.animal is not None and options.animal not in library.animals.animals:
        problems.append(("options.animal", f"may be one of {', '.join(library.animals.animals)}"))
    if options.tone is not None and not spec.takes_tone:
        problems.append(("options.tone", "no stage of this preset takes a tone"))
    elif options.tone is not None and options.tone not in library.tones:
        problems.append(("options.tone", f"may be one of {', '.join(library.tones)}"))
    if problems:
        raise InvalidRequest(problems)


def preset_options(spec: PresetSpec, library: Library) -> tuple[PresetOption, ...]:
    """Everything a job may choose, the whole job's options first."""
    return (*_job_options(spec, library), *_stage_options(spec))


def _unknown(spec: PresetSpec, options: JobOptions) -> Iterator[tuple[str, str]]:
    for name, changes in options.stages.items():
        if name not in spec.stages:
            yield f"options.stages.{name}", f"the preset's stages are {', '.join(spec.stages)}"
            continue
        allowed = _overridable(spec.stages[name])
        if not allowed:
            yield f"options.stages.{name}", "nothing of this stage may be changed"
            continue
        for key in changes:
            if key not in allowed:
                yield f"options.stages.{name}.{key}", f"may be one of {', '.join(allowed)}"


def _overridable(stage: AnyStage) -> list[str]:
    return [key for key in OVERRIDABLE if key in type(stage).model_fields]


def _place(location: tuple[int | str, ...]) -> str:
    tagless = (*location[:2], *location[3:]) if len(location) > 2 else location
    return ".".join(("options", *map(str, tagless)))


def _job_options(spec: PresetSpec, library: Library) -> Iterator[PresetOption]:
    yield PresetOption(key="seed", kind="integer", default=None, minimum=0, maximum=MAX_SEED)
    yield PresetOption(key="prompt", kind="text", default="")
    yield PresetOption(key="negative_prompt", kind="text", default="")
    yield PresetOption(key="loras", kind="text", default="")
    if spec.takes_tone:
        yield PresetOption(key="tone", kind="choice", default=None, choices=tuple(library.tones))
    if any(unit.picture == "pose" for stage in spec.sampled.values() for unit in stage.controlnet):
        yield PresetOption(key="pose", kind="picture", default=None)
    if spec.takes_photo:
        yield PresetOption(key="photo", kind="picture", default=None)
    if spec.animates:
        yield PresetOption(key="image", kind="picture", default=None)
    if spec.takes_reference:
        yield PresetOption(key="reference", kind="picture", default=None)
    if spec.describes:
        yield PresetOption(key="description", kind="text", default=None)
    if spec.identity != "none":
        yield PresetOption(key="likeness_bar", kind="number", default=None, minimum=0, maximum=1)
        yield PresetOption(
            key="likeness_budget", kind="integer", default=None, minimum=1, maximum=MOST_CANDIDATES
        )
    if spec.names_animal:
        yield PresetOption(key="animal", kind="choice", default=None, choices=tuple(library.animals.animals))


def _stage_options(spec: PresetSpec) -> Iterator[PresetOption]:
    for name, stage in spec.sampled.items():
        for key in NUMBERS:
            if key in type(stage).model_fields:
                yield _number_option(spec, stage, name, key)
        if isinstance(stage, AnimateSpec):
            yield PresetOption(key="travel", kind="text", default=stage.travel, stage=name)
        for key in TEXTS:
            text = getattr(stage, key) or getattr(spec, key) or ""
            yield PresetOption(key=key, kind="text", default=text, stage=name)
        yield PresetOption(key="loras", kind="text", default=_loras_text(spec, stage), stage=name)


def _loras_text(spec: PresetSpec, stage: SampledStage) -> str:
    """The LoRAs of a stage as an override would spell them, each by its first name."""
    loras = (spec.loras if stage.loras is None else stage.loras) or ()
    return ", ".join(f"{lora.name[0]}:{lora.weight:g}" for lora in loras)


def _number_option(spec: PresetSpec, stage: AnyStage, name: str, key: str) -> PresetOption:
    value = getattr(stage, key) or getattr(spec, key, None) or NUMBER_DEFAULTS.get(key)
    minimum, maximum = _range(stage, key)
    kind: Any = "integer" if key in INTEGERS else "number"
    return PresetOption(key=key, kind=kind, default=value, minimum=minimum, maximum=maximum, stage=name)


def _range(stage: AnyStage, key: str) -> tuple[float | None, float | None]:
    """The bounds a field's type declares; a bound inside "or None" is found in the field's JSON Schema."""
    schema = type(stage).model_json_schema()["properties"][key]
    bounded = next((part for part in schema.get("anyOf", [schema]) if "minimum" in part), schema)
    return bounded.get("minimum"), bounded.get("maximum")

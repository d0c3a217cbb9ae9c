"""ControlNet units as requests carry them, in Mikubill's spelling and Forge's.

Source: the A1111 contract notes, controlnet sections 2, 6 and 7. A unit that could not run is refused, where A1111
answers 200 with a picture made without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydantic.v1 import BaseModel, Field, validator

from webui_engine.controlnet.preprocessors import REFERENCE
from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.http import pictures
from webui_engine.http.generation import names
from webui_engine.http.options import Effective

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill")
RESIZE_ALIASES = {
    "Inner Fit (Scale to Fit)": RESIZE_MODES[1],
    "Scale to Fit (Inner Fit)": RESIZE_MODES[1],
    "Outer Fit (Shrink to Fit)": RESIZE_MODES[2],
    "Envelope (Outer Fit)": RESIZE_MODES[2],
}
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
HR_OPTIONS = ("Both", "Low res only", "High res only")
NEARLY_BLACK, NEARLY_WHITE = 5, 250
NO_MODELS = frozenset({"none", ""})
NO_MODEL = "None"


class ControlNetUnit(BaseModel):
    """One unit's fields with Mikubill's names and defaults; its aliases and Forge's spellings are taken too."""

    enabled: bool = False
    module: str = "none"
    model: str = "None"
    weight: float = Field(default=1.0, ge=0, le=2)
    image: Any = None
    mask_image: Any = None
    resize_mode: str = RESIZE_MODES[1]
    processor_res: int = -1
    threshold_a: float = -1
    threshold_b: float = -1
    guidance_start: float = Field(default=0.0, ge=0, le=1)
    guidance_end: float = Field(default=1.0, ge=0, le=1)
    control_mode: str = CONTROL_MODES[0]
    pixel_perfect: bool = False
    hr_option: str = HR_OPTIONS[0]
    save_detected_map: bool = True
    advanced_weighting: list[float] | None = None
    effective_region_mask: Any = None
    ipadapter_input: list[str] | None = None
    input_mode: str = "simple"

    @validator("resize_mode", pre=True)
    @classmethod
    def _known_resize_mode(cls, value: Any) -> str:
        return _choice(RESIZE_ALIASES.get(value, value) if isinstance(value, str) else value, RESIZE_MODES)

    @validator("control_mode", pre=True)
    @classmethod
    def _known_control_mode(cls, value: Any) -> str:
        return _choice(value, CONTROL_MODES)

    @validator("hr_option", pre=True)
    @classmethod
    def _known_hr_option(cls, value: Any) -> str:
        return _choice(value, HR_OPTIONS)


def _choice(value: Any, choices: Sequence[str]) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(choices):
        return choices[value]
    if value in choices:
        return str(value)
    raise ValueError("unexpected value; permitted: " + ", ".join(repr(choice) for choice in choices))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit that is on and can run. model, module: as listed. image: RGB, or None for the init picture.

    further_images: more pictures of the same thing, RGB. reads_features: it works through an IP-Adapter. refers: it has
    the picture look at its own, without a model.

    threshold_a, threshold_b, processor_res: -1 for the preprocessor's own.
    """

    fields: ControlNetUnit
    module: str
    model: str
    image: Image.Image | None
    wants_map: bool
    further_images: tuple[Image.Image, ...] = ()
    reads_features: bool = False
    refers: bool = False

    @property
    def low_res(self) -> bool:
        """Whether it acts in the first pass."""
        return self.fields.hr_option != HR_OPTIONS[2]

    @property
    def high_res(self) -> bool:
        """Whether it acts in the pass of hires fix."""
        return self.fields.hr_option != HR_OPTIONS[1]


def read_units(
    arguments: Sequence[Any], engine: Engine, options: Effective, *, has_init_image: bool
) -> tuple[Unit, ...]:
    """The enabled units of the script's arguments; raises ValidationError, UnknownName, BadValue, Refused."""
    parsed = [ControlNetUnit.parse_obj(_spelled(item)) for item in arguments if isinstance(item, dict)]
    strangers = [item for item in arguments if not isinstance(item, (dict, bool)) and item is not None]
    if strangers:
        raise WouldBeIgnored("controlnet args", strangers[0], "a unit is an object")
    enabled = [unit for unit in parsed if unit.enabled]
    if len(enabled) > options.controlnet_units:
        limit = f"control_net_unit_count allows {options.controlnet_units}"
        raise WouldBeIgnored("controlnet args", f"{len(enabled)} units", limit)
    return tuple(_unit(item, engine, options, has_init_image=has_init_image) for item in enabled)


def _spelled(unit: dict[str, Any]) -> dict[str, Any]:
    """The unit under one name a field."""
    spelled = dict(unit)
    for alias, name in (("input_image", "image"), ("mask", "mask_image"), ("guidance", "guidance_end")):
        if alias in spelled:
            if name in spelled:
                raise WouldBeIgnored("controlnet args", alias, f"{name} says the same; send one of them")
            spelled[name] = spelled.pop(alias)
    return spelled


def _unit(unit: ControlNetUnit, engine: Engine, options: Effective, *, has_init_image: bool) -> Unit:
    _refuse_what_is_not_here(unit)
    module = names.controlnet_module(engine, unit.module)
    refers = module == REFERENCE
    if not refers and unit.model.lower() in NO_MODELS:
        raise WouldBeIgnored("controlnet model", unit.model, "a unit without a model does nothing")
    reads_features = not engine.draws(module)
    first, further = _first_and_further(unit.image, takes_several=reads_features)
    picture, mask = _picture_and_mask(first)
    if reads_features and (unit.mask_image or mask):
        raise WouldBeIgnored("controlnet mask", "given", "an IP-Adapter works on the whole picture here")
    model = NO_MODEL if refers else names.controlnet_model(engine, unit.model)
    image = None if picture is None else pictures.flat(pictures.decode(picture))
    image = _drawn(unit.mask_image or mask, image) or image
    if image is None and not has_init_image:
        raise WouldBeIgnored("controlnet image", None, "txt2img has no picture of its own to draw a map from")
    if unit.guidance_start > unit.guidance_end:
        raise BadValue("guidance_start", unit.guidance_start, "it lies after guidance_end")
    wants_map = unit.save_detected_map and options.controlnet_maps
    return Unit(
        fields=unit,
        module=module,
        model=model,
        image=image,
        wants_map=wants_map,
        further_images=tuple(pictures.flat(pictures.decode(entry["image"])) for entry in further),
        reads_features=reads_features,
        refers=refers,
    )


def _refuse_what_is_not_here(unit: ControlNetUnit) -> None:
    for name in ("advanced_weighting", "effective_region_mask", "ipadapter_input"):
        if getattr(unit, name) is not None:
            raise WouldBeIgnored(f"controlnet {name}", "given", "it is not supported")
    if unit.input_mode not in ("simple", "InputMode.SIMPLE"):
        raise WouldBeIgnored("controlnet input_mode", unit.input_mode, "only simple is supported")


def _first_and_further(value: Any, *, takes_several: bool) -> tuple[Any, list[dict[str, Any]]]:
    """A unit's picture in whatever form, and those that follow it in a list of {image, mask}."""
    if not (isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value)):
        return value, []
    first, *further = value
    if further and not takes_several:
        raise WouldBeIgnored("controlnet image", f"{len(value)} pictures", "only IP-Adapter takes several")
    return first, further


def _picture_and_mask(value: Any) -> tuple[Any, Any]:
    """Both in any of the forms a picture takes: text, {image, mask}, [image, mask]."""
    if isinstance(value, dict):
        return value.get("image"), value.get("mask")
    if isinstance(value, list):
        image, mask, *_ = (*value, None, None)
        return image, mask
    return value, None


def _drawn(mask: Any, image: Image.Image | None) -> Image.Image | None:
    """The mask in place of the picture, as the extension takes it; None where it is all black or all white.

    Source: the A1111 contract notes, controlnet section 9.
    """
    if not mask:
        return None
    drawn = pictures.as_mask(pictures.decode(mask))
    if image is not None and drawn.size != image.size:
        raise BadValue("controlnet mask", drawn.size, f"the picture's size is {image.size}")
    levels = np.asarray(drawn)
    is_blank = levels.max() <= NEARLY_BLACK or levels.min() >= NEARLY_WHITE
    return None if is_blank else drawn.convert("RGB")


def described(unit: Unit, engine: Engine) -> str:
    """The unit as its infotext entry has it (contract notes, controlnet section 7)."""
    fields = unit.fields
    module = next(item for item in engine.controlnet_modules() if item.name == unit.module)
    resolution, threshold_a, threshold_b = shown_values(module.sliders, fields)
    entries = {
        "Module": unit.module,
        "Model": fields.model,
        "Weight": fields.weight,
        "Resize Mode": fields.resize_mode,
        "Processor Res": resolution,
        "Threshold A": threshold_a,
        "Threshold B": threshold_b,
        "Guidance Start": fields.guidance_start,
        "Guidance End": fields.guidance_end,
        "Pixel Perfect": fields.pixel_perfect,
        "Control Mode": fields.control_mode,
    }
    return ", ".join(f"{key}: {value}" for key, value in entries.items())


def shown_values(sliders: Sequence[Any], fields: ControlNetUnit) -> tuple[int, float, float]:
    """Resolution and both thresholds with -1 and values off the sliders replaced by what the preprocessor uses."""
    defaults = [float(slider.value) for slider in sliders] + [0.5] * 3
    resolution = fields.processor_res if fields.processor_res > 0 else int(defaults[0]) if sliders else 512
    threshold_a = fields.threshold_a if fields.threshold_a >= 0 and len(sliders) > 1 else defaults[1]
    threshold_b = fields.threshold_b if fields.threshold_b >= 0 and len(sliders) > 2 else defaults[2]
    return resolution, float(threshold_a), float(threshold_b)

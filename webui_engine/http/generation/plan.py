"""Everything a generation request asks for, resolved and checked before it waits for its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from webui_engine.adetailer.repair import Inner
from webui_engine.adetailer.tabs import NONE, ADetailerArgs, Detailing, read_arguments
from webui_engine.animatediff.arguments import TITLE as ANIMATEDIFF
from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.http.faults import Refused
from webui_engine.http.generation import fields, names, resolve
from webui_engine.http.generation.animation import Animation, animated, read_animation
from webui_engine.http.generation.units import Unit, read_units
from webui_engine.http.options import Effective
from webui_engine.http.schema import GenerationRequest, Img2ImgRequest, Txt2ImgRequest
from webui_engine.scripts import sd_upscale, ultimate
from webui_engine.scripts.sd_upscale import SdUpscale
from webui_engine.scripts.ultimate import UltimateUpscale
from webui_engine.tasks import GenerationTask

if TYPE_CHECKING:
    from webui_engine.http.services import Services

ADETAILER = "adetailer"
CONTROLNET = "controlnet"
ALWAYS_ON = (ADETAILER, ANIMATEDIFF, CONTROLNET)
SELECTABLE: dict[str, tuple[str, ...]] = {
    "txt2img": (),
    "img2img": (sd_upscale.TITLE.lower(), ultimate.TITLE.lower()),
}
Kind = Literal["txt2img", "img2img"]
Script = SdUpscale | UltimateUpscale


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A request that can run.

    task: the main pass, or the settings of a script's tiles. inners: ADetailer's tabs with their names resolved.
    script: an enlarging script that runs in place of the main pass. animation: makes animations of the main pass's
    batches.
    """

    kind: Kind
    request: GenerationRequest
    options: Effective
    task: GenerationTask
    units: tuple[Unit, ...]
    detailing: Detailing
    inners: tuple[Inner, ...]
    script: Script | None
    animation: Animation | None


def plan(request: GenerationRequest, services: Services) -> Plan:
    """The plan of a request; raises whatever stands against running it as asked."""
    request = fields.filled_from_infotext(request, services.options.all())
    kind: Kind = "txt2img" if isinstance(request, Txt2ImgRequest) else "img2img"
    arguments = _always_on(request, kind)
    script = _script(request, kind, services)
    options = _effective(request, services)
    task = _task(request, options, services)
    animation = read_animation(arguments[ANIMATEDIFF], services.engine)
    if animation is not None:
        _require_alone(script)
        task = animated(task, animation, request, services.styles(), options)
    units = read_units(arguments[CONTROLNET], services.engine, options, has_init_image=bool(task.init_images))
    detailing = read_arguments(
        arguments[ADETAILER], services.detectors.names(), most_tabs=options.adetailer_tabs
    )
    if detailing.skip_img2img and (task.inpainting is not None or animation is not None):
        raise WouldBeIgnored(
            "adetailer skip_img2img", True, "it goes together neither with a mask nor an animation"
        )
    return Plan(
        kind=kind,
        request=request,
        options=options,
        task=task,
        units=units,
        detailing=detailing,
        inners=tuple(_inner(tab, services, request, task.sampler) for tab in detailing.tabs),
        script=script,
        animation=animation,
    )


def _require_alone(script: Script | None) -> None:
    if script is not None:
        raise WouldBeIgnored("script_name", type(script).__name__, "an animation is not enlarged")


def _effective(request: GenerationRequest, services: Services) -> Effective:
    overrides = services.options.check(request.override_settings or {})
    return Effective.of(services.options.all() | overrides)


def _task(request: GenerationRequest, options: Effective, services: Services) -> GenerationTask:
    if isinstance(request, Img2ImgRequest):
        return resolve.img2img_task(request, options, services.engine, services.styles())
    return resolve.txt2img_task(request, options, services.engine, services.styles())


def _always_on(request: GenerationRequest, kind: Kind) -> dict[str, Sequence[Any]]:
    """The arguments of the scripts that run beside every picture; raises Refused with A1111's words."""
    arguments: dict[str, Sequence[Any]] = dict.fromkeys(ALWAYS_ON, ())
    for name, value in request.alwayson_scripts.items():
        if name.lower() in SELECTABLE[kind]:
            raise Refused(422, "Cannot have a selectable script in the always on scripts params")
        if name.lower() not in arguments:
            raise Refused(422, f"Script '{name}' not found")
        given = value.get("args") if isinstance(value, dict) else None
        if given is not None and not isinstance(given, list):
            raise BadValue(f"alwayson_scripts {name}", given, "args is a list")
        arguments[name.lower()] = given or ()
    return arguments


def _script(request: GenerationRequest, kind: Kind, services: Services) -> Script | None:
    if not request.script_name:
        return None
    name = request.script_name.lower()
    if name not in SELECTABLE[kind]:
        raise Refused(422, f"Script '{name}' not found")
    parse = SdUpscale.parse if name == sd_upscale.TITLE.lower() else UltimateUpscale.parse
    return parse(request.script_args, partial(names.upscaler, services.engine))


def _inner(tab: ADetailerArgs, services: Services, request: GenerationRequest, main_sampler: str) -> Inner:
    engine = services.engine
    names.check_networks(engine, [tab.ad_prompt])
    sampler = scheduler = None
    if tab.ad_use_sampler:
        sampler, scheduler = names.later_sampler(engine, tab.ad_sampler, tab.ad_scheduler, main_sampler)
        fields.check_numbers(request, sampler or main_sampler)
    if tab.ad_controlnet_model not in (NONE, "Passthrough"):
        names.controlnet_model(engine, tab.ad_controlnet_model)
    checkpoint = tab.ad_checkpoint if tab.ad_use_checkpoint else None
    vae = tab.ad_vae if tab.ad_use_vae else None
    return Inner(
        tab=tab,
        sampler=sampler,
        scheduler=scheduler,
        checkpoint=None
        if checkpoint in (None, *names.SAME)
        else names.overriding_checkpoint(engine, str(checkpoint)),
        vae=None if vae in (None, *names.SAME) else names.vae(engine, str(vae)),
    )

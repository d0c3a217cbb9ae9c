"""Before GPU time is spent: is everything a request names known to the server?

A WebUI answers 200 to an unknown sampler, LoRA, checkpoint, style, detector or ControlNet and simply leaves
it out (see the A1111 contract notes, "success that is not"), so names are resolved here, against the
capability record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from webui_client.capabilities import (
    ADetailerCapability,
    Capabilities,
    Checkpoint,
    Scheduler,
    Vae,
    find_checkpoint,
    stem_of,
)
from webui_client.errors import MissingCapability
from webui_client.placing import place_controls
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.animatediff import TITLE
from webui_client.units.controlnet import NO_MODEL, PlacedUnit
from webui_client.values import Animate, Extras, ExtrasBatch, FaceSwap, Hires, Img2Img, Sampling, Txt2Img

Need = Callable[[Capabilities], object]

KEEP_CHECKPOINT = ("None", "Use same checkpoint")
KEEP_VAE = ("None", "Automatic", "Use same VAE")

_LORA_TAG = re.compile(r"<(?:lora|lyco):([^:>]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The names of a request as the server spells them.

    sampler, hires_sampler: listed names, None where the request leaves it open. scheduler, hires_scheduler:
    labels. checkpoint, hires_checkpoint: those asked for. control_units: in their order, with listed names. lora_tags:
    what ControlNet units need in the prompt besides. loras: names in the tags of the prompts that are sampled (not
    those of detectors) and in lora_tags.
    """

    sampler: str | None
    scheduler: str | None
    hires_sampler: str | None = None
    hires_scheduler: str | None = None
    checkpoint: Checkpoint | None = None
    hires_checkpoint: Checkpoint | None = None
    control_units: tuple[PlacedUnit, ...] = ()
    lora_tags: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()


def resolve(request: Txt2Img | Img2Img, server: Capabilities) -> Resolved:
    """Return the request's names in the server's spelling; raises MissingCapability for the first that it
    lacks.
    """
    sampler, scheduler = resolve_sampler(request.sampler_name, request.scheduler, server)
    hires = request.hires if isinstance(request, Txt2Img) else None
    hires_sampler, hires_scheduler = _resolve_hires(hires, server) if hires else (None, None)
    sampled_prompts = f"{request.prompt}{hires.prompt}" if hires else request.prompt
    _check_plain_names(request, server)
    _check_loras(_all_prompts(request), server)
    if request.adetailer:
        _check_adetailer(request.adetailer, server)
    if isinstance(request, Img2Img) and request.upscale:
        _check_script(request.upscale.script, server.scripts_img2img, server)
        check_upscaler(request.upscale.upscaler, server)
    checkpoint = resolve_checkpoint(request.checkpoint, server)
    sdxl = server.takes_for_sdxl(checkpoint) if checkpoint else server.is_sdxl
    control_units, lora_tags = place_controls(
        request.controlnet, server, sdxl=sdxl, takes_loras=not request.disable_extra_networks
    )
    return Resolved(
        sampler=sampler,
        scheduler=scheduler,
        hires_sampler=hires_sampler,
        hires_scheduler=hires_scheduler,
        checkpoint=checkpoint,
        hires_checkpoint=resolve_checkpoint(hires.checkpoint if hires else None, server),
        control_units=control_units,
        lora_tags=lora_tags,
        loras=lora_names("".join([sampled_prompts, *lora_tags]))
        if not request.disable_extra_networks
        else (),
    )


def resolve_animation(request: Animate, server: Capabilities) -> Resolved:
    """Return the names of an animation's request; raises MissingCapability for the first that the server lacks.

    A motion module is looked for only where the server tells which it has; AnimateDiff itself lists none.
    """
    sampling, module = request.sampling, request.animatediff.model
    titles = server.scripts_img2img if isinstance(sampling, Img2Img) else server.scripts_txt2img
    _check_script(TITLE, titles, server)
    if server.motion_modules is not None:
        _require("motion module", module, server.motion_modules, server)
    return resolve(sampling, server)


def needs_of(request: Txt2Img | Img2Img | Animate | Extras | ExtrasBatch | FaceSwap) -> Need:
    """Return a need for the pool: a check that raises MissingCapability if a server cannot serve request."""

    def need(server: Capabilities) -> None:
        if isinstance(request, Extras | ExtrasBatch):
            check_extras(request, server)
        elif isinstance(request, FaceSwap):
            check_face_swap(request, server)
        elif isinstance(request, Animate):
            resolve_animation(request, server)
        else:
            resolve(request, server)

    return need


def check_extras(request: Extras | ExtrasBatch, server: Capabilities) -> None:
    """Raise MissingCapability if the server lacks an upscaler or restorer that request names."""
    for name in (request.upscaler, request.second_upscaler):
        _require("upscaler", name, [upscaler.name for upscaler in server.upscalers], server)
    wanted = {"GFPGAN": request.gfpgan_visibility, "CodeFormer": request.codeformer_visibility}
    for name, visibility in wanted.items():
        if visibility:
            _require("face restorer", name, server.face_restorers, server)


def check_face_swap(request: FaceSwap, server: Capabilities) -> None:
    """Raise MissingCapability if the server lacks the swapper, or the swapper its model."""
    _require("face swapper", request.swapper, server.able_swappers, server)


def resolve_sampler(
    sampler: str | None, scheduler: str | None, server: Capabilities
) -> tuple[str | None, str | None]:
    """Return (sampler, scheduler label) as listed.

    Accepts a sampler's alias, and an old joined name such as "DPM++ 2M Karras" when no scheduler is given.
    """
    if sampler is None:
        return None, _resolve_scheduler(scheduler, server)
    for listed in server.samplers:
        if sampler == listed.name or sampler in listed.aliases:
            return listed.name, _resolve_scheduler(scheduler, server)
    joined = None if scheduler else _split_joined(sampler, server)
    if joined:
        return joined
    raise MissingCapability(server.server, "sampler", sampler, [listed.name for listed in server.samplers])


def resolve_checkpoint(wanted: str | None, server: Capabilities) -> Checkpoint | None:
    """Return the listed checkpoint that wanted names, None for None; raises MissingCapability."""
    if wanted is None:
        return None
    found = find_checkpoint(wanted, server.checkpoints)
    if found is None:
        titles = [checkpoint.title for checkpoint in server.checkpoints]
        raise MissingCapability(server.server, "checkpoint", wanted, titles)
    return found


def check_upscaler(name: str, server: Capabilities) -> None:
    """Raise MissingCapability unless the server lists the upscaler and has its weights."""
    installed = [upscaler.name for upscaler in server.upscalers if upscaler.is_installed]
    _require("upscaler", name, installed, server)


def lora_names(prompt: str) -> tuple[str, ...]:
    """Return the names in the prompt's ``<lora:…>`` and ``<lyco:…>`` tags, in order, each once."""
    return tuple(dict.fromkeys(match.strip() for match in _LORA_TAG.findall(prompt)))


def _require(kind: str, name: str, available: Sequence[str], server: Capabilities) -> None:
    if name not in available:
        raise MissingCapability(server.server, kind, name, available)


def _resolve_scheduler(wanted: str | None, server: Capabilities) -> str | None:
    if wanted is None:
        return None
    return _scheduler(wanted, server).label


def _scheduler(wanted: str, server: Capabilities) -> Scheduler:
    for scheduler in server.schedulers:
        if scheduler.is_called(wanted):
            return scheduler
    labels = [scheduler.label for scheduler in server.schedulers]
    raise MissingCapability(server.server, "scheduler", wanted, labels)


def _split_joined(joined: str, server: Capabilities) -> tuple[str, str] | None:
    for scheduler in server.schedulers:
        sampler = joined.removesuffix(f" {scheduler.label}")
        if sampler != joined and any(sampler == listed.name for listed in server.samplers):
            return sampler, scheduler.label
    return None


def _resolve_hires(hires: Hires, server: Capabilities) -> tuple[str | None, str | None]:
    if hires.upscaler not in server.latent_upscalers:
        check_upscaler(hires.upscaler, server)
    return resolve_sampler(hires.sampler_name, hires.scheduler, server)


def _check_plain_names(request: Sampling, server: Capabilities) -> None:
    for style in request.styles:
        _require("style", style, server.styles, server)
    resolve_checkpoint(request.refiner_checkpoint, server)
    _check_vae(request.vae, server)
    if request.restore_faces and not server.face_restorers:
        raise MissingCapability(server.server, "face restorer", "any")
    titles = server.scripts_img2img if isinstance(request, Img2Img) else server.scripts_txt2img
    for title in request.alwayson_scripts:
        _check_script(title, titles, server)


def _check_vae(wanted: str | None, server: Capabilities) -> None:
    if wanted not in (None, *KEEP_VAE) and not any(is_called(vae, str(wanted)) for vae in server.vaes):
        raise MissingCapability(server.server, "VAE", str(wanted), [vae.model_name for vae in server.vaes])


def is_called(vae: Vae, wanted: str) -> bool:
    """Whether wanted names a listed VAE, by its file name or without its extension."""
    return wanted in (vae.model_name, stem_of(vae.model_name))


def _check_script(title: str, titles: Sequence[str], server: Capabilities) -> None:
    if title.lower() not in titles:
        raise MissingCapability(server.server, "script", title, titles)


def _all_prompts(request: Txt2Img | Img2Img) -> Iterable[str]:
    yield request.prompt
    if isinstance(request, Txt2Img) and request.hires:
        yield request.hires.prompt
    if request.adetailer:
        yield from (tab.prompt for tab in request.adetailer.tabs)


def _check_loras(prompts: Iterable[str], server: Capabilities) -> None:
    for name in (name for prompt in prompts for name in lora_names(prompt)):
        if not any(lora.is_called(name) for lora in server.loras):
            raise MissingCapability(server.server, "LoRA", name, [lora.name for lora in server.loras])


def _check_adetailer(wanted: ADetailer, server: Capabilities) -> None:
    has = server.adetailer
    if has is None:
        raise MissingCapability(server.server, "script", "ADetailer", server.scripts_img2img)
    if len(wanted.tabs) > has.max_tabs:
        raise MissingCapability(
            server.server, "ADetailer tab", f"number {len(wanted.tabs)}", [f"{has.max_tabs} tabs"]
        )
    for tab in wanted.tabs:
        _check_adetailer_tab(tab, has, server)


def _check_adetailer_tab(tab: ADetailerTab, has: ADetailerCapability, server: Capabilities) -> None:
    _require("ADetailer detector", tab.model, has.models, server)
    try:
        tab.spell(has.fields)
    except KeyError as error:
        raise MissingCapability(server.server, "ADetailer field", str(error.args[0]), has.fields) from error
    if tab.checkpoint not in (None, *KEEP_CHECKPOINT):
        resolve_checkpoint(tab.checkpoint, server)
    _check_vae(tab.vae, server)
    resolve_sampler(tab.sampler, tab.scheduler, server)
    if tab.controlnet_model not in (NO_MODEL, "Passthrough"):
        models = server.controlnet.models if server.controlnet else ()
        _require("ControlNet", tab.controlnet_model, models, server)

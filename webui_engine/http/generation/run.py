"""Running a plan: the main pass or a script, ADetailer on every picture, maps and masks beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from webui_engine.adetailer import infotext as adetailer_infotext
from webui_engine.adetailer.repair import Repair
from webui_engine.adetailer.tabs import NONE, PASSTHROUGH, ADetailerArgs
from webui_engine.http.generation import names
from webui_engine.http.generation.painting import Box, Painter
from webui_engine.http.generation.plan import Plan
from webui_engine.http.generation.units import ControlNetUnit, Unit, described
from webui_engine.tasks import GenerationResult, GenerationTask, Pairs, Sampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webui_engine.http.services import Services

MODULE_FOR_MODEL = {
    "tile": "tile_resample",
    "openpose": "openpose",
    "canny": "canny",
    "mediapipe": "mediapipe_face",
}
"""Words in a ControlNet's name and the preprocessor ADetailer takes for it when the tab names none."""


NETWORK_KEYS = frozenset({"Lora hashes", "TI hashes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a plan gave.

    pictures: the sampled ones with their seeds. maps: ControlNet's. masks: pairs of mask and cut-out per picture, where
    asked for. extra: infotext pairs that stand beside the common ones. size: the infotext's Size.
    """

    pictures: tuple[Sampled, ...]
    maps: tuple[Image.Image, ...]
    masks: tuple[tuple[Image.Image, ...], ...]
    extra: Pairs
    model_name: str
    model_hash: str
    vae_name: str | None
    vae_hash: str | None
    size: tuple[int, int]
    denoising_strength: float | None


def run(plan: Plan, services: Services) -> Made:
    """Make what the plan says; to be called in one's turn, with progress started."""
    services.progress.expect(_passes(plan))
    if plan.script is not None:
        return _run_script(plan, services)
    painter = Painter(services.engine, services.progress, plan.units)
    if plan.detailing.skip_img2img:
        return _run_face_passes(plan, services)
    result = painter.paint(plan.task)
    pictures = _repaired(result.pictures, plan, services, [])
    return _made(plan, result, pictures, services, maps=painter.maps(plan.task), script_extra=())


def _run_face_passes(plan: Plan, services: Services) -> Made:
    """ADetailer alone, on the initial picture; what took part is what its passes tell."""
    passes: list[GenerationResult] = []
    kept = _kept(plan, services)
    pictures = _repaired(kept.pictures, plan, services, passes)
    extra = tuple(dict(pair for made in passes for pair in made.extra if pair[0] in NETWORK_KEYS).items())
    return _made(plan, kept, pictures, services, maps=(), script_extra=extra)


def _passes(plan: Plan) -> int:
    """How many sampling passes there will be if ADetailer finds one thing per picture and tab."""
    count = plan.task.batch_size * plan.task.n_iter
    main = 0 if plan.detailing.skip_img2img else plan.task.n_iter * (2 if plan.task.hires else 1)
    return main + count * len(plan.inners)


def _kept(plan: Plan, services: Services) -> GenerationResult:
    """The initial picture as if the main pass had made it; nothing is sampled."""
    engine = services.engine
    info = engine.load(plan.task.checkpoint) if plan.task.checkpoint else engine.loaded
    kept = Sampled(
        image=plan.task.init_images[0],
        prompt=plan.task.prompt,
        negative_prompt=plan.task.negative_prompt,
        seed=plan.task.seed,
        subseed=plan.task.subseed,
    )
    return GenerationResult(pictures=(kept,), model_name=info.model_name, model_hash=info.hash or "")


def _run_script(plan: Plan, services: Services) -> Made:
    assert plan.script is not None
    painter = Painter(services.engine, services.progress, plan.units)

    def paint(task: GenerationTask, boxes: Sequence[Box], canvas: tuple[int, int]) -> GenerationResult:
        return painter.paint(task, boxes, canvas)

    extra_passes = plan.task.n_iter * len(plan.inners)
    upscaled = plan.script.run(
        plan.task,
        paint,
        services.engine.upscale,
        lambda passes: services.progress.expect(passes + extra_passes),
        services.progress,
    )
    sampled = tuple(
        Sampled(
            image=image,
            prompt=plan.task.prompt,
            negative_prompt=plan.task.negative_prompt,
            seed=seed,
            subseed=plan.task.subseed,
        )
        for image, seed in zip(upscaled.pictures, upscaled.seeds, strict=True)
    )
    result = upscaled.first or _kept(plan, services)
    made = _made(
        plan, result, _repaired(sampled, plan, services, []), services, maps=(), script_extra=upscaled.extra
    )
    return replace(made, size=upscaled.size, denoising_strength=upscaled.denoising_strength)


def _repaired(
    pictures: tuple[Sampled, ...], plan: Plan, services: Services, passes: list[GenerationResult]
) -> tuple[Sampled, ...]:
    """The pictures after ADetailer; the results of its passes are added to passes."""
    if not plan.inners:
        return pictures

    def paint(tab: ADetailerArgs, task: GenerationTask) -> Image.Image | None:
        painter = Painter(services.engine, services.progress, _face_units(tab, plan, services))
        passes.append(painter.paint(task))
        made = passes[-1].pictures
        return made[0].image if made else None

    repair = Repair(
        inners=plan.inners,
        detectors=services.detectors,
        paint=paint,
        monitor=services.progress,
        order=plan.options.adetailer_order,
        same_seed=plan.options.adetailer_same_seed,
    )
    return tuple(repair.repaired(picture, plan.task) for picture in pictures)


def _face_units(tab: ADetailerArgs, plan: Plan, services: Services) -> tuple[Unit, ...]:
    """The units of a face pass: none, the request's own, or the tab's on the picture being repaired."""
    if tab.ad_controlnet_model == NONE:
        return ()
    if tab.ad_controlnet_model == PASSTHROUGH:
        return plan.units
    model = names.controlnet_model(services.engine, tab.ad_controlnet_model)
    module = tab.ad_controlnet_module
    if module == NONE:
        module = next((name for word, name in MODULE_FOR_MODEL.items() if word in model.lower()), "none")
    unit = ControlNetUnit(
        enabled=True,
        module=module,
        model=model,
        weight=tab.ad_controlnet_weight,
        guidance_start=tab.ad_controlnet_guidance_start,
        guidance_end=tab.ad_controlnet_guidance_end,
        pixel_perfect=True,
    )
    found = names.controlnet_module(services.engine, module)
    return (Unit(fields=unit, module=found, model=model, image=None, wants_map=False),)


def _made(
    plan: Plan,
    result: GenerationResult,
    pictures: tuple[Sampled, ...],
    services: Services,
    *,
    maps: tuple[Image.Image, ...],
    script_extra: Pairs,
) -> Made:
    task = plan.task
    units = tuple((f"ControlNet {n}", described(unit, services.engine)) for n, unit in enumerate(plan.units))
    strength = task.hires.denoising_strength if task.hires else task.denoising_strength
    return Made(
        pictures=pictures,
        maps=maps,
        masks=tuple(_masks(picture.image, plan) for picture in pictures),
        extra=(
            *script_extra,
            *(plan.animation.pairs(from_picture=bool(task.init_images)) if plan.animation else ()),
            *units,
            *adetailer_infotext.pairs(plan.detailing.tabs),
            *_mask_pairs(plan),
            *result.extra,
        ),
        model_name=result.model_name,
        model_hash=result.model_hash,
        vae_name=result.vae_name,
        vae_hash=result.vae_hash,
        size=(task.width, task.height),
        denoising_strength=strength if task.init_images or task.hires else None,
    )


def _mask_pairs(plan: Plan) -> Pairs:
    """A1111 names the blur even where a mask turned out to be empty and nothing was masked."""
    request = plan.request
    if plan.task.inpainting is not None or not getattr(request, "mask", None):
        return ()
    return (("Mask blur", request.mask_blur or 4),)  # type: ignore[union-attr]


def _masks(picture: Image.Image, plan: Plan) -> tuple[Image.Image, ...]:
    """The mask as used and the painted part alone, as options return_mask and return_mask_composite ask."""
    inpainting = plan.task.inpainting
    if inpainting is None:
        return ()
    mask = inpainting.mask.resize(picture.size, Image.Resampling.LANCZOS)
    mask = ImageOps.invert(mask) if inpainting.invert else mask
    cut_out = picture.convert("RGBA")
    cut_out.putalpha(mask)
    wanted = ((plan.options.return_mask, mask.convert("RGB")), (plan.options.return_mask_composite, cut_out))
    return tuple(image for asked, image in wanted if asked)

"""From a request to the core's task: every name exact, every number in range, the seed drawn, the pictures open.

What could not run is refused here, before the request waits for its turn. Source of fields and defaults: the A1111
contract notes, webui-core section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.http import pictures
from webui_engine.http.faults import Refused
from webui_engine.http.generation import fields, names
from webui_engine.http.options import Effective
from webui_engine.http.schema import GenerationRequest, Img2ImgRequest, Txt2ImgRequest
from webui_engine.tasks import GenerationTask, Hires, Inpainting, MaskedContent, Refiner, ResizeMode

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

LATENT_UPSCALERS = (
    "Latent",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
    "Latent (nearest)",
    "Latent (nearest-exact)",
)


def txt2img_task(
    request: Txt2ImgRequest, options: Effective, engine: Engine, styles: Sequence[fields.Style]
) -> GenerationTask:
    """The task of a txt2img request; raises BadValue, UnknownName."""
    common = _common(request, options, engine, styles)
    if not request.enable_hr:
        return GenerationTask(**common)
    picked = fields.pick_styles(styles, request.styles)
    hires = _hires(request, engine, picked, common["sampler"])
    if request.firstphase_width or request.firstphase_height:
        common["width"] = fields.side("firstphase_width", request.firstphase_width)
        common["height"] = fields.side("firstphase_height", request.firstphase_height)
    if not request.disable_extra_networks:
        names.check_networks(engine, [hires.prompt])
    return GenerationTask(**common, hires=hires)


def img2img_task(
    request: Img2ImgRequest, options: Effective, engine: Engine, styles: Sequence[fields.Style]
) -> GenerationTask:
    """The task of an img2img request; raises BadValue, UnknownName, Refused for a picture that is none."""
    common = _common(request, options, engine, styles)
    if request.latent_mask:
        raise WouldBeIgnored("latent_mask", "a picture", "only mask is understood")
    images = _init_images(request, options)
    if len(images) > 1:
        common["batch_size"] = len(images)
    return GenerationTask(
        **common,
        init_images=images,
        denoising_strength=min(fields.real("denoising_strength", request.denoising_strength, least=0), 1.0),
        resize_mode=_resize_mode(request.resize_mode),
        initial_noise_multiplier=_noise_multiplier(request, options),
        inpainting=_inpainting(request),
        img2img_fix_steps=options.img2img_fix_steps,
    )


def _common(
    request: GenerationRequest, options: Effective, engine: Engine, styles: Sequence[fields.Style]
) -> dict[str, Any]:
    _refuse_what_is_not_here(request, options)
    picked = fields.pick_styles(styles, request.styles)
    prompt, negative = fields.worded(
        fields.text("prompt", request.prompt), fields.text("negative_prompt", request.negative_prompt), picked
    )
    sampler, scheduler = names.sampler_and_scheduler(
        engine, request.sampler_name or request.sampler_index or "Euler", request.scheduler
    )
    fields.check_numbers(request, sampler)
    if not request.disable_extra_networks:
        names.check_networks(engine, [prompt])
    return {
        "prompt": prompt,
        "negative_prompt": negative,
        "sampler": sampler,
        "scheduler": scheduler,
        "checkpoint": names.overriding_checkpoint(engine, options.checkpoint) if options.checkpoint else None,
        "refiner": _refiner(request, engine),
        "vae": names.vae(engine, options.vae),
        "clip_skip": options.clip_skip,
        "crop": options.sdxl_crop,
        "eta_noise_seed_delta": options.eta_noise_seed_delta,
        "emphasis": options.emphasis,
        "tiling": options.tiling if request.tiling is None else request.tiling,
        "disable_extra_networks": request.disable_extra_networks,
        **_numbers(request),
    }


def _numbers(request: GenerationRequest) -> dict[str, Any]:
    batch = fields.whole("batch_size", request.batch_size, least=1, most=fields.MAX_PICTURES)
    rounds = fields.whole("n_iter", request.n_iter, least=1, most=fields.MAX_PICTURES)
    fields.whole("batch_size x n_iter", batch * rounds, least=1, most=fields.MAX_PICTURES)
    resize_from = (request.seed_resize_from_w or 0, request.seed_resize_from_h or 0)
    return {
        "seed": fields.drawn_seed("seed", request.seed),
        "subseed": fields.drawn_seed("subseed", request.subseed),
        "subseed_strength": fields.real("subseed_strength", request.subseed_strength, least=0, most=1),
        "seed_resize_from": resize_from if min(resize_from) > 0 else None,
        "steps": fields.whole("steps", request.steps, least=1, most=fields.MAX_STEPS),
        "cfg_scale": fields.real("cfg_scale", request.cfg_scale),
        "width": fields.side("width", request.width),
        "height": fields.side("height", request.height),
        "batch_size": batch,
        "n_iter": rounds,
        "eta": request.eta,
        "s_churn": request.s_churn,
        "s_tmin": request.s_tmin,
        "s_tmax": request.s_tmax or None,
        "s_noise": request.s_noise,
    }


def _refiner(request: GenerationRequest, engine: Engine) -> Refiner | None:
    if request.refiner_checkpoint in (None, *names.SAME):
        return None
    checkpoint = names.checkpoint(engine, str(request.refiner_checkpoint))
    switch_at = fields.real("refiner_switch_at", request.refiner_switch_at or 0.0, least=0, most=1)
    return Refiner(checkpoint=checkpoint, switch_at=switch_at)


def _refuse_what_is_not_here(request: GenerationRequest, options: Effective) -> None:
    if options.face_restoration if request.restore_faces is None else request.restore_faces:
        raise WouldBeIgnored("restore_faces", True, "no face restorer is installed; ADetailer repairs faces")
    if request.s_min_uncond:
        raise WouldBeIgnored(
            "s_min_uncond", request.s_min_uncond, "skipping the negative prompt is not supported"
        )


def _hires(
    request: Txt2ImgRequest, engine: Engine, styles: Sequence[fields.Style], first_sampler: str
) -> Hires:
    sampler, scheduler = names.later_sampler(
        engine, request.hr_sampler_name, request.hr_scheduler, first_sampler
    )
    fields.check_numbers(request, sampler or first_sampler)
    scale, width, height = _hires_size(request)
    prompt, negative = fields.worded(request.hr_prompt, request.hr_negative_prompt, styles)
    upscaler = request.hr_upscaler or LATENT_UPSCALERS[0]
    return Hires(
        scale=scale,
        upscaler=upscaler if upscaler in LATENT_UPSCALERS else names.upscaler(engine, upscaler),
        steps=fields.whole(
            "hr_second_pass_steps", request.hr_second_pass_steps, least=0, most=fields.MAX_STEPS
        ),
        resize_x=width,
        resize_y=height,
        denoising_strength=min(fields.real("denoising_strength", request.denoising_strength, least=0), 1.0),
        sampler=sampler,
        scheduler=scheduler,
        prompt=prompt if request.hr_prompt else "",
        negative_prompt=negative if request.hr_negative_prompt else "",
        checkpoint=_hires_checkpoint(request.hr_checkpoint_name, engine),
    )


def _hires_size(request: Txt2ImgRequest) -> tuple[float, int, int]:
    """Scale, or width and height in pixels; with the old firstphase fields, width and height are the final ones."""
    first = (request.firstphase_width, request.firstphase_height)
    if not any(first):
        scale = fields.real("hr_scale", request.hr_scale, least=0.125, most=16)
        return scale, max(0, request.hr_resize_x), max(0, request.hr_resize_y)
    final = (fields.side("width", request.width), fields.side("height", request.height))
    if all(first) and final[0] * first[1] == final[1] * first[0]:
        return final[0] / first[0], 0, 0
    return 1.0, *final


def _hires_checkpoint(name: str | None, engine: Engine) -> str | None:
    return None if name is None or name in names.SAME else names.checkpoint(engine, name)


def _init_images(request: Img2ImgRequest, options: Effective) -> tuple[Image.Image, ...]:
    if request.init_images is None:
        raise Refused(404, "Init image not found")
    batch = request.batch_size or 1
    if not 1 <= len(request.init_images) <= batch:
        raise BadValue(
            "init_images", f"{len(request.init_images)} pictures", f"expected 1 to {batch} (batch_size)"
        )
    return tuple(
        pictures.flat(pictures.decode(item), options.img2img_background) for item in request.init_images
    )


def _inpainting(request: Img2ImgRequest) -> Inpainting | None:
    if not request.mask:
        return None
    mask = pictures.as_mask(pictures.decode(request.mask))
    seen = ImageOps.invert(mask) if request.inpainting_mask_invert else mask
    if request.inpaint_full_res and seen.getbbox() is None:
        return None
    blur_x = request.mask_blur_x if request.mask_blur is None else request.mask_blur
    blur_y = request.mask_blur_y if request.mask_blur is None else request.mask_blur
    return Inpainting(
        mask=mask,
        blur_x=fields.whole("mask_blur_x", blur_x, least=0, most=512),
        blur_y=fields.whole("mask_blur_y", blur_y, least=0, most=512),
        content=_masked_content(request.inpainting_fill),
        only_masked=request.inpaint_full_res,
        padding=fields.whole(
            "inpaint_full_res_padding", request.inpaint_full_res_padding, least=0, most=4096
        ),
        invert=bool(request.inpainting_mask_invert),
        round_mask=request.mask_round,
    )


def _noise_multiplier(request: Img2ImgRequest, options: Effective) -> float | None:
    value = request.initial_noise_multiplier
    if value is None:
        value = options.initial_noise_multiplier
    return None if value == 1.0 else fields.real("initial_noise_multiplier", value, least=0, most=10)


def _resize_mode(value: int) -> ResizeMode:
    try:
        return ResizeMode(value)
    except ValueError as error:
        raise WouldBeIgnored("resize_mode", value, "0 to 3 were expected") from error


def _masked_content(value: int) -> MaskedContent:
    try:
        return MaskedContent(value)
    except ValueError as error:
        raise WouldBeIgnored("inpainting_fill", value, "0 to 3 were expected") from error

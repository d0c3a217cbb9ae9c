"""Requests as the JSON that ``/sdapi/v1`` reads. See the A1111 contract notes, core, section 3.

What is None is left out, so that the server's own default counts; nothing is ever saved on the server's disk.
"""

from __future__ import annotations

from typing import Any

from webui_client.capabilities import Capabilities
from webui_client.preflight import KEEP_VAE, Resolved, is_called
from webui_client.units.animatediff import NEEDED_OPTIONS, TITLE
from webui_client.units.controlnet import encode
from webui_client.units.faceswap import swap_body
from webui_client.values import (
    Animate,
    Extras,
    ExtrasBatch,
    FaceSwap,
    Hires,
    Img2Img,
    Inpaint,
    Sampling,
    Txt2Img,
)

PLAIN_FIELDS = frozenset(
    {
        "prompt",
        "negative_prompt",
        "seed",
        "subseed",
        "subseed_strength",
        "steps",
        "cfg_scale",
        "width",
        "height",
        "batch_size",
        "n_iter",
        "restore_faces",
        "tiling",
        "eta",
        "s_churn",
        "s_tmin",
        "s_tmax",
        "s_noise",
        "refiner_checkpoint",
        "refiner_switch_at",
        "disable_extra_networks",
    }
)
FILLS = ("fill", "original", "latent noise", "latent nothing")
RESIZE_MODES = ("stretch", "crop", "fill", "latent")


def txt2img_body(request: Txt2Img, names: Resolved, server: Capabilities, task_id: str) -> dict[str, Any]:
    """Return the body of POST /sdapi/v1/txt2img."""
    body = _sampling_body(request, names, server, task_id)
    if request.hires:
        body |= _hires_fields(request.hires, names, server)
    return body


def img2img_body(request: Img2Img, names: Resolved, server: Capabilities, task_id: str) -> dict[str, Any]:
    """Return the body of POST /sdapi/v1/img2img. Raises BadPicture for an unreadable initial picture or
    mask.
    """
    body = _sampling_body(request, names, server, task_id)
    body |= {
        "init_images": [encode(picture) for picture in request.init_images],
        "denoising_strength": request.denoising_strength,
        "resize_mode": RESIZE_MODES.index(request.resize_mode),
        "include_init_images": False,
    }
    if request.inpaint:
        body |= _inpaint_fields(request.inpaint)
    if request.upscale:
        upscalers = tuple(upscaler.name for upscaler in server.upscalers)
        tile = (request.width, request.height)
        body |= {"script_name": request.upscale.script, "script_args": request.upscale.spell(upscalers, tile)}
    optional = {
        "initial_noise_multiplier": request.initial_noise_multiplier,
        "image_cfg_scale": request.image_cfg_scale,
    }
    return body | _given(optional)


def animate_body(request: Animate, names: Resolved, server: Capabilities, task_id: str) -> dict[str, Any]:
    """Return the body of the POST to txt2img or img2img that makes an animation. Raises BadPicture."""
    sampling = request.sampling
    if isinstance(sampling, Txt2Img):
        body = txt2img_body(sampling, names, server, task_id)
    else:
        body = img2img_body(sampling, names, server, task_id)
    scripts = body.get("alwayson_scripts", {}) | {TITLE: {"args": request.animatediff.spell()}}
    options = NEEDED_OPTIONS | body.get("override_settings", {})
    return body | {"alwayson_scripts": scripts, "override_settings": options}


def extras_body(request: Extras) -> dict[str, Any]:
    """Return the body of POST /sdapi/v1/extra-single-image. Raises BadPicture."""
    return {"image": encode(request.image), **_enlarging_fields(request)}


def extras_batch_body(request: ExtrasBatch) -> dict[str, Any]:
    """Return the body of POST /sdapi/v1/extra-batch-images. Raises BadPicture."""
    listed = [{"data": encode(image), "name": f"{number}.png"} for number, image in enumerate(request.images)]
    return {"imageList": listed, **_enlarging_fields(request)}


def _enlarging_fields(request: Extras | ExtrasBatch) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resize_mode": 0 if request.size is None else 1,
        "upscaling_resize": request.scale,
        "upscaling_crop": request.crop,
        "upscaler_1": request.upscaler,
        "upscaler_2": request.second_upscaler,
        "extras_upscaler_2_visibility": request.second_visibility,
        "gfpgan_visibility": request.gfpgan_visibility,
        "codeformer_visibility": request.codeformer_visibility,
        "codeformer_weight": request.codeformer_weight,
        "show_extras_results": True,
    }
    if request.size is not None:
        body["upscaling_resize_w"], body["upscaling_resize_h"] = request.size
    return body


def face_swap_body(request: FaceSwap, server: Capabilities) -> dict[str, Any]:
    """Return the body of the swapper's own call. Raises BadPicture."""
    model = next(found.model for found in server.face_swappers if found.swapper == request.swapper)
    return swap_body(request.swapper, model, encode(request.image), encode(request.source))


def with_tags(prompt: str, names: Resolved) -> str:
    """Return the prompt with the tags that ControlNet units need in it."""
    return " ".join([prompt, *names.lora_tags])


def _sampling_body(request: Sampling, names: Resolved, server: Capabilities, task_id: str) -> dict[str, Any]:
    body: dict[str, Any] = request.model_dump(include=set(PLAIN_FIELDS))
    body |= {
        "prompt": with_tags(request.prompt, names),
        "styles": list(request.styles) or None,
        "sampler_name": names.sampler,
        "scheduler": names.scheduler,
        "override_settings": _override_settings(request, names, server) or None,
        "override_settings_restore_afterwards": True,
        "alwayson_scripts": _alwayson_scripts(request, names, server),
        "send_images": True,
        "save_images": False,
        "force_task_id": task_id,
    }
    return _given(body)


def _override_settings(request: Sampling, names: Resolved, server: Capabilities) -> dict[str, Any]:
    wanted = {
        "sd_model_checkpoint": names.checkpoint.title if names.checkpoint else None,
        server.ways.vae_option: _vae(request.vae, server),
        "CLIP_stop_at_last_layers": request.clip_skip,
        "control_net_no_detectmap": False if request.controlnet and _maps_are_off(server) else None,
    }
    return {**request.override_settings, **_given(wanted)}


def _vae(wanted: str | None, server: Capabilities) -> str | list[str] | None:
    if wanted is None or not server.ways.vae_option_is_list:
        return wanted
    return [] if wanted in KEEP_VAE else [vae.model_name for vae in server.vaes if is_called(vae, wanted)]


def _maps_are_off(server: Capabilities) -> bool:
    return server.controlnet is not None and server.controlnet.maps_switched_off


def _alwayson_scripts(request: Sampling, names: Resolved, server: Capabilities) -> dict[str, Any]:
    scripts: dict[str, Any] = {
        title: {"args": list(args)} for title, args in request.alwayson_scripts.items()
    }
    if request.adetailer and server.adetailer:
        scripts["ADetailer"] = {"args": request.adetailer.spell(server.adetailer.fields)}
    if request.controlnet and server.controlnet:
        spelled = [unit.spell(server.controlnet.dialect) for unit in names.control_units]
        scripts["ControlNet"] = {"args": spelled}
    return scripts


def _hires_fields(hires: Hires, names: Resolved, server: Capabilities) -> dict[str, Any]:
    fields = {
        "enable_hr": True,
        "denoising_strength": hires.denoising_strength,
        "hr_upscaler": hires.upscaler,
        "hr_scale": hires.scale,
        "hr_resize_x": hires.width,
        "hr_resize_y": hires.height,
        "hr_second_pass_steps": hires.steps,
        "hr_sampler_name": names.hires_sampler,
        "hr_scheduler": names.hires_scheduler,
        "hr_checkpoint_name": names.hires_checkpoint.title if names.hires_checkpoint else None,
        "hr_prompt": with_tags(hires.prompt, names) if hires.prompt else "",
        "hr_negative_prompt": hires.negative_prompt,
        "hr_additional_modules": ["Use same choices"] if server.ways.hires_modules else None,
    }
    return _given(fields)


def _inpaint_fields(inpaint: Inpaint) -> dict[str, Any]:
    return {
        "mask": encode(inpaint.mask),
        "mask_blur": inpaint.blur,
        "inpainting_fill": FILLS.index(inpaint.fill),
        "inpaint_full_res": inpaint.only_masked,
        "inpaint_full_res_padding": inpaint.padding,
        "inpainting_mask_invert": int(inpaint.invert),
    }


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}

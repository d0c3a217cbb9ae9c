"""What is said of the pictures: an infotext for each, and the ``info`` object of the answer.

Source of keys and order: the A1111 contract notes, webui-core sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from webui_client import infotext
from webui_engine import __version__
from webui_engine.diffusion.samplers import told_schedule
from webui_engine.http.generation.plan import Plan
from webui_engine.http.generation.run import Made
from webui_engine.tasks import Sampled

VERSION = f"sajin-{__version__}"
HIRES_KEYS = ("Hires prompt", "Hires negative prompt", "Hires schedule type")
PLACED = frozenset({"Denoising strength", "Schedule type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """infotexts: one per picture, in order. info: the object that the answer carries as a JSON string."""

    infotexts: tuple[str, ...]
    info: dict[str, Any]


def describe(plan: Plan, made: Made, *, job_timestamp: str) -> Description:
    """job_timestamp: the one that progress showed for this job; clients tell by it whose progress they saw."""
    extra = dict(made.extra)
    schedule = told_schedule(plan.task.sampler, plan.task.scheduler)
    if made.denoising_strength is not None:
        extra["Denoising strength"] = made.denoising_strength
    if schedule is not None:
        extra["Schedule type"] = schedule
    texts = tuple(_infotext(plan, made, picture, extra) for picture in made.pictures)
    shown: dict[str, Any] = extra | ({key: extra.get(key) for key in HIRES_KEYS} if plan.task.hires else {})
    return Description(
        infotexts=texts,
        info=_info(plan, made, shown, texts or (_empty_text(plan, made, extra),))
        | {"job_timestamp": job_timestamp},
    )


def _infotext(plan: Plan, made: Made, picture: Sampled, extra: dict[str, Any]) -> str:
    pairs = [*_placed(plan, made, picture, extra), *((k, v) for k, v in extra.items() if k not in PLACED)]
    return infotext.compose(picture.prompt, picture.negative_prompt, [*pairs, ("Version", VERSION)])


def _empty_text(plan: Plan, made: Made, extra: dict[str, Any]) -> str:
    """The one infotext of a run that was stopped before its first picture."""
    task = plan.task
    nothing = Sampled(
        image=Image.new("RGB", (1, 1)),
        prompt=task.prompt,
        negative_prompt=task.negative_prompt,
        seed=task.seed,
        subseed=task.subseed,
    )
    return _infotext(plan, made, nothing, extra)


def _placed(plan: Plan, made: Made, picture: Sampled, extra: dict[str, Any]) -> Iterator[tuple[str, object]]:
    task = plan.task
    varied = task.subseed_strength > 0
    yield "Steps", task.steps
    yield "Sampler", task.sampler
    yield "Schedule type", extra.get("Schedule type", "Automatic")
    yield "CFG scale", float(task.cfg_scale)
    yield "Seed", picture.seed
    yield "Size", f"{made.size[0]}x{made.size[1]}"
    yield "Model hash", made.model_hash or None
    yield "Model", made.model_name
    yield "VAE hash", made.vae_hash
    yield "VAE", made.vae_name
    yield "Variation seed", picture.subseed if varied else None
    yield "Variation seed strength", task.subseed_strength if varied else None
    yield "Seed resize from", "x".join(map(str, task.seed_resize_from)) if task.seed_resize_from else None
    yield "Denoising strength", extra.get("Denoising strength")
    yield "Clip skip", task.clip_skip if task.clip_skip > 1 else None
    yield "ENSD", task.eta_noise_seed_delta or None
    yield "RNG", "CPU"
    yield "Tiling", True if task.tiling else None


def _info(plan: Plan, made: Made, extra: dict[str, Any], texts: tuple[str, ...]) -> dict[str, Any]:
    task, request = plan.task, plan.request
    seeds = _seeds(plan, made)
    count = len(seeds)
    return {
        "prompt": task.prompt,
        "all_prompts": [task.prompt] * count,
        "negative_prompt": task.negative_prompt,
        "all_negative_prompts": [task.negative_prompt] * count,
        "seed": task.seed,
        "all_seeds": seeds,
        "subseed": task.subseed,
        "all_subseeds": [task.subseed + index for index in range(count)],
        "subseed_strength": task.subseed_strength,
        "width": made.size[0],
        "height": made.size[1],
        "sampler_name": task.sampler,
        "cfg_scale": task.cfg_scale,
        "steps": task.steps,
        "batch_size": task.batch_size,
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": made.model_name,
        "sd_model_hash": made.model_hash,
        "sd_vae_name": made.vae_name,
        "sd_vae_hash": made.vae_hash,
        "seed_resize_from_w": request.seed_resize_from_w,
        "seed_resize_from_h": request.seed_resize_from_h,
        "denoising_strength": made.denoising_strength,
        "extra_generation_params": extra,
        "index_of_first_image": 0,
        "infotexts": list(texts),
        "styles": list(request.styles or ()),
        "clip_skip": task.clip_skip,
        "is_using_inpainting_conditioning": False,
        "version": VERSION,
    }


def _seeds(plan: Plan, made: Made) -> list[int]:
    """One seed for each picture that was asked for, made or not; of a script's pictures, the different ones."""
    task = plan.task
    if plan.script:
        return list(dict.fromkeys(picture.seed for picture in made.pictures))
    count = task.batch_size * task.n_iter
    return [task.seed if task.subseed_strength else task.seed + index for index in range(count)]

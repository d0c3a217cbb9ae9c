"""One task on one prepared model: batches, seeds, the first pass, hires fix, img2img, inpainting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNetMotionModel
from PIL import Image
from torch.nn import functional

from webui_engine.animatediff.clip import MovingClip, faded, travelled
from webui_engine.animatediff.modules import Upbringing
from webui_engine.diffusion import hires as hires_fix
from webui_engine.diffusion import inpainting, latents
from webui_engine.diffusion.conditioning import Conditioning
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.noise import Seeds, initial_noise, picture_seeds
from webui_engine.diffusion.pictures import fit
from webui_engine.diffusion.prompts import extract_networks
from webui_engine.diffusion.samplers import AUTOMATIC, SAMPLERS, build_scheduler, find_sampler, find_schedule
from webui_engine.diffusion.sampling import (
    Control,
    Features,
    Finish,
    LatentMask,
    Outcome,
    Pass,
    References,
    noisy_start,
    sample,
)
from webui_engine.diffusion.workbench import Prepared
from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.tasks import Clip, GenerationTask, Hires, MaskedContent, Monitor, ResizeMode, Sampled

Size = tuple[int, int]
_ALMOST_ONE = 0.999


@dataclass(frozen=True, slots=True)
class Motion:
    """A denoiser of clips, and what it was trained with."""

    network: UNetMotionModel
    upbringing: Upbringing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a generation borrows from the engine.

    prepare: brings the LoRAs of a pass into effect (True: of the second) and tells its prompts. controls: the
    ControlNet units for a picture size in pixels, the box that inpainting cut out of the initial picture (or None), and
    whether it is the second pass. features: what IP-Adapter units add. references: the reference pictures made ready
    for a pass of a size, and whether it is the second. finisher: the second checkpoint and its prompts. upscale:
    enlarges a picture by an upscaler's name to a size. motion: the denoiser with a motion module of that name in it.
    """

    prepare: Callable[[bool], Prepared]
    controls: Callable[[Size, inpainting.Box | None, bool], Sequence[Control]]
    upscale: Callable[[Image.Image, str, int, int], Image.Image]
    motion: Callable[[str], Motion]
    features: Features | None = None
    references: Callable[[Size, bool], References | None] = lambda size, second: None
    finisher: tuple[Model, Callable[[bool], Prepared]] | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    pairs: tuple[tuple[int, int], ...]
    offset: int


class Generation:
    """Runs one task; used once."""

    def __init__(self, model: Model, task: GenerationTask, tools: Tools, monitor: Monitor) -> None:
        self._model, self._task, self._tools, self._monitor = model, task, tools, monitor
        self._jobs_per_batch = 2 if task.hires and not task.init_images else 1
        self._canvas = self._prepare_canvas()
        self._motion = tools.motion(task.clip.module) if task.clip else None
        self._conditionings: dict[tuple[int, int, bool], Conditioning] = {}

    def run(self) -> tuple[Sampled, ...]:
        """Every picture of the task in order; those of a skipped batch and those after an interrupt are missing."""
        batches = self._batches()
        self._monitor.begin(jobs=len(batches) * self._jobs_per_batch, steps=self._first_steps())
        made: list[Sampled] = []
        for batch in batches:
            if self._monitor.interrupted:
                break
            made.extend(self._run_batch(batch))
        return tuple(made)

    def _batches(self) -> list[_Batch]:
        task = self._task
        size = (
            len(self._canvas.pictures) if self._canvas and len(self._canvas.pictures) > 1 else task.batch_size
        )
        pairs = picture_seeds(task.seed, task.subseed, task.subseed_strength, size * task.n_iter)
        return [_Batch(n, tuple(pairs[n * size : (n + 1) * size]), n * size) for n in range(task.n_iter)]

    def _run_batch(self, batch: _Batch) -> list[Sampled]:
        outcome = self._image_to_image(batch) if self._canvas else self._text_to_image(batch)
        if outcome is None or (self._monitor.skipped and not outcome.finished):
            return []
        pictures = latents.decode(self._model, outcome.latents)
        if self._canvas:
            pictures = [self._canvas.finish(index, picture) for index, picture in enumerate(pictures)]
        task = self._task
        return [
            Sampled(
                image=p, prompt=task.prompt, negative_prompt=task.negative_prompt, seed=seed, subseed=subseed
            )
            for p, (seed, subseed) in zip(pictures, batch.pairs, strict=True)
        ]

    def _text_to_image(self, batch: _Batch) -> Outcome:
        task = self._task
        noise, generators = self._noise(batch, (task.width, task.height))
        run = self._pass(task.steps, 0, generators, (task.width, task.height))
        self._monitor.job(batch.number * self._jobs_per_batch, steps=task.steps)
        outcome = sample(self._model, run, noisy_start(run, noise), self._monitor)
        if task.hires is None or not outcome.finished or self._monitor.interrupted:
            return outcome
        return self._second_pass(batch, task.hires, outcome.latents)

    def _second_pass(self, batch: _Batch, hires: Hires, first: torch.Tensor) -> Outcome:
        task, model = self._task, self._model
        target = hires_fix.target_of(hires, task.width, task.height, model.stride)
        grown = self._grow(hires, target, first)
        steps = hires.steps or task.steps
        begin = _first_step(steps, hires.denoising_strength)
        noise, generators = self._noise(batch, target.final)
        run = self._pass(steps, begin, generators, target.final, hires)
        self._monitor.job(batch.number * self._jobs_per_batch + 1, steps=steps - begin)
        return sample(model, run, noisy_start(run, noise, grown), self._monitor)

    def _grow(self, hires: Hires, target: hires_fix.Target, first: torch.Tensor) -> torch.Tensor:
        if hires.upscaler in hires_fix.LATENT_MODES:
            return hires_fix.grow_latents(first, hires.upscaler, target, self._model.stride)
        pictures = latents.decode(self._model, first)
        grown = [self._tools.upscale(picture, hires.upscaler, *target.grown) for picture in pictures]
        return latents.encode(self._model, [hires_fix.cut(picture, target) for picture in grown])

    def _image_to_image(self, batch: _Batch) -> Outcome | None:
        task, canvas, size = self._task, self._canvas, (self._task.width, self._task.height)
        if canvas is None:
            return None
        steps, begin = _picture_steps(task)
        start = self._initial_latents(canvas, len(batch.pairs))
        noise, generators = self._noise(batch, size)
        if task.clip is not None:
            start = faded(task.clip, start[:1], self._last_latents(task.clip), noise)
            fresh = [torch.randn(noise.shape[1:], generator=generator) for generator in generators]
            noise = self._model.to_latent_device(torch.stack(fresh))
        if task.initial_noise_multiplier is not None:
            noise = noise * task.initial_noise_multiplier
        mask = self._latent_mask(canvas, start, noise)
        run = self._pass(steps, begin, generators, size, mask=mask, canvas=canvas)
        self._monitor.job(batch.number, steps=steps - begin)
        return sample(self._model, run, noisy_start(run, noise, mask.kept if mask else start), self._monitor)

    def _initial_latents(self, canvas: inpainting.Canvas, count: int) -> torch.Tensor:
        task = self._task
        if task.resize_mode is ResizeMode.LATENT and task.inpainting is None:
            encoded = self._encode_unresized()
        else:
            encoded = latents.encode(self._model, canvas.pictures)
        return encoded.expand(count, -1, -1, -1) if len(encoded) == 1 else encoded[:count]

    def _last_latents(self, clip: Clip) -> torch.Tensor | None:
        if clip.last is None:
            return None
        mode = ResizeMode.STRETCH if self._task.resize_mode is ResizeMode.LATENT else self._task.resize_mode
        return latents.encode(self._model, [fit(clip.last, mode, self._task.width, self._task.height)])

    def _encode_unresized(self) -> torch.Tensor:
        stride, size = self._model.stride, self._model.latent_shape(self._task.width, self._task.height)[1:]
        encoded = []
        for picture in self._task.init_images:
            width, height = (max(stride, side // stride * stride) for side in picture.size)
            single = latents.encode(self._model, [fit(picture, ResizeMode.STRETCH, width, height)])
            encoded.append(functional.interpolate(single, size=size, mode="bilinear"))
        return torch.cat(encoded)

    def _latent_mask(
        self, canvas: inpainting.Canvas, start: torch.Tensor, noise: torch.Tensor
    ) -> LatentMask | None:
        """The mask over the latents. What is kept also stands under it at the start, as the task's content says."""
        if canvas.mask is None or self._task.inpainting is None:
            return None
        mask = self._mask_levels(canvas.mask, round_levels=self._task.inpainting.round_mask)
        content = self._task.inpainting.content
        if content is MaskedContent.LATENT_NOISE:
            start = start * (1 - mask) + noise * mask
        elif content is MaskedContent.LATENT_NOTHING:
            start = start * (1 - mask)
        return LatentMask(mask, start)

    def _mask_levels(self, mask: Image.Image, *, round_levels: bool) -> torch.Tensor:
        _, height, width = self._model.latent_shape(*mask.size)
        small = mask.resize((width, height))
        levels = (
            torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).reshape(1, 1, height, width) / 255
        )
        return self._model.to_latent_device(levels.round() if round_levels else levels)

    def _pass(
        self,
        steps: int,
        begin: int,
        generators: Sequence[torch.Generator],
        size: Size,
        hires: Hires | None = None,
        *,
        mask: LatentMask | None = None,
        canvas: inpainting.Canvas | None = None,
    ) -> Pass:
        return Pass(
            scheduler=self._scheduler(steps, hires),
            steps=steps,
            begin=begin,
            cfg_scale=self._task.cfg_scale,
            conditioning=self._conditioning(steps - begin, hires),
            generators=generators,
            controls=self._tools.controls(size, canvas.box if canvas else None, hires is not None),
            features=self._tools.features,
            references=self._tools.references(size, hires is not None),
            second=hires is not None,
            sizes=self._sizes(self._model, size),
            finish=self._finish(steps - begin, size, hires),
            mask=mask,
            extra_channels=self._inpainting_channels(size, len(generators), canvas),
            moving=self._moving(len(generators)),
            step_options=self._step_options(),
        )

    def _scheduler(self, steps: int, hires: Hires | None) -> Any:
        sampler = find_sampler((hires and hires.sampler) or self._task.sampler)
        schedule = find_schedule((hires and hires.scheduler) or self._task.scheduler)
        config = dict(self._model.scheduler_config)
        if self._motion is not None:
            config |= {"beta_schedule": self._motion.upbringing.beta_schedule, "trained_betas": None}
        return build_scheduler(sampler, schedule, steps, config, self._model.device.place)

    def _moving(self, frames: int) -> MovingClip | None:
        clip, motion = self._task.clip, self._motion
        return MovingClip(motion.network, clip, frames) if clip and motion else None

    def _conditioning(
        self, steps: int, hires: Hires | None, prepare: Callable[[bool], Prepared] | None = None
    ) -> Conditioning:
        """That of a pass, by the checkpoint's own encoders or those of the one that finishes (prepare)."""
        prepared = (prepare or self._tools.prepare)(hires is not None)
        earlier = self._task.steps if hires else 0
        key = steps, earlier, prepare is not None
        if key not in self._conditionings:
            self._conditionings[key] = self._encoded(prepared, steps, earlier)
        return self._conditionings[key]

    def _finish(self, steps: int, size: Size, hires: Hires | None) -> Finish | None:
        """Who finishes the pass; with hires fix the first pass is not finished by another."""
        task, finisher = self._task, self._tools.finisher
        if task.refiner is None or finisher is None or (self._jobs_per_batch == 2 and hires is None):
            return None
        model, prepare = finisher
        return Finish(
            model=model,
            switch_at=task.refiner.switch_at,
            conditioning=self._conditioning(steps, hires, prepare),
            sizes=self._sizes(model, size),
        )

    def _encoded(self, prepared: Prepared, steps: int, earlier: int) -> Conditioning:
        clip, encoder = self._task.clip, prepared.encoder
        if clip is None or not clip.travel:
            return encoder.encode(prepared.prompt, prepared.negative, steps, earlier_steps=earlier)
        prompts = [extract_networks(prompt)[0] for _, prompt in clip.travel]
        keys = encoder.encode_each(prompts, prepared.negative, steps, earlier_steps=earlier)
        return travelled(keys, clip, self._task.batch_size)

    def _inpainting_channels(
        self, size: Size, count: int, canvas: inpainting.Canvas | None
    ) -> torch.Tensor | None:
        """The mask and the picture around it, for a denoiser that was trained with them (9 channels)."""
        model = self._model
        if int(model.unet.config.in_channels) != model.latent_channels * 2 + 1:
            return None
        mask = canvas.mask if canvas and canvas.mask else Image.new("L", size, 255)
        grey = Image.new("RGB", size, (127, 127, 127))
        around = Image.composite(grey, canvas.pictures[0], mask) if canvas else grey
        channels = torch.cat(
            [self._mask_levels(mask, round_levels=True), latents.encode(model, [around])], dim=1
        )
        return channels.expand(count, -1, -1, -1)

    def _sizes(self, model: Model, size: Size) -> torch.Tensor | None:
        """What SDXL was trained to be told: original height and width, top and left of the crop, height and width."""
        if not model.is_sdxl:
            return None
        width, height = size
        top, left = self._task.crop
        return model.to_latent_device(torch.tensor([height, width, top, left, height, width]))

    def _step_options(self) -> dict[str, float]:
        task = self._task
        given = {
            "eta": task.eta,
            "s_churn": task.s_churn,
            "s_tmin": task.s_tmin,
            "s_tmax": task.s_tmax,
            "s_noise": task.s_noise,
        }
        return {key: value for key, value in given.items() if value is not None}

    def _noise(self, batch: _Batch, size: Size) -> tuple[torch.Tensor, list[torch.Generator]]:
        task = self._task
        pairs = batch.pairs
        if self._motion is not None and self._motion.upbringing.same_noise:
            pairs = (pairs[0],) * len(pairs)
        seeds = Seeds(
            seeds=tuple(seed for seed, _ in pairs),
            subseeds=tuple(subseed for _, subseed in pairs),
            subseed_strength=task.subseed_strength,
            resize_from=task.seed_resize_from,
            delta=task.eta_noise_seed_delta,
        )
        noise, generators = initial_noise(seeds, self._model.latent_shape(*size))
        return self._model.to_latent_device(noise), generators

    def _prepare_canvas(self) -> inpainting.Canvas | None:
        task = self._task
        if not task.init_images:
            return None
        mode = ResizeMode.STRETCH if task.resize_mode is ResizeMode.LATENT else task.resize_mode
        return inpainting.prepare(task.init_images, task.inpainting, mode, task.width, task.height)

    def _first_steps(self) -> int:
        task = self._task
        if self._canvas is None:
            return task.steps
        steps, begin = _picture_steps(task)
        return steps - begin


def _picture_steps(task: GenerationTask) -> tuple[int, int]:
    """How many steps the schedule of an img2img task has, and at which of them its picture enters.

    With A1111's option img2img_fix_steps, the schedule is stretched so that just the asked number of steps runs.
    """
    if not task.img2img_fix_steps or task.denoising_strength <= 0:
        return task.steps, _first_step(task.steps, task.denoising_strength)
    stretched = int(task.steps / min(task.denoising_strength, _ALMOST_ONE))
    return stretched, stretched - task.steps


def _first_step(steps: int, strength: float) -> int:
    """The step at which a picture enters: A1111 runs int(strength * steps) + 1 of the steps."""
    return max(0, steps - int(min(strength, _ALMOST_ONE) * steps) - 1)


def check_task(task: GenerationTask, model: Model) -> None:
    """Raise UnknownName or BadValue for what this engine cannot do, before any work is done."""
    for field, value in (("width", task.width), ("height", task.height)):
        if value < model.stride or value % model.stride:
            raise BadValue(field, value, f"it must be a positive multiple of {model.stride}")
    find_sampler(task.sampler)
    find_schedule(task.scheduler)
    if task.hires:
        _check_hires(task.hires, model)
    if task.clip:
        _check_clip(task, model)


def _check_clip(task: GenerationTask, model: Model) -> None:
    for what, asked in (
        ("a checkpoint of SDXL's kind", model.is_sdxl),
        ("a refiner", task.refiner is not None),
        ("IP-Adapters", bool(task.adapters)),
        ("reference pictures", bool(task.references)),
    ):
        if asked:
            raise WouldBeIgnored("animatediff", what, "it does not go together with animations here")


def _check_hires(hires: Hires, model: Model) -> None:
    if hires.checkpoint and not model.info.answers_to(hires.checkpoint):
        reason = "this engine keeps the checkpoint of the first pass"
        raise BadValue("hr_checkpoint_name", hires.checkpoint, reason)
    find_sampler(hires.sampler or SAMPLERS[0].name)
    find_schedule(hires.scheduler or AUTOMATIC)

"""The denoising loop: diffusers' scheduler and denoiser, A1111's conditions at each step.

The loop is ours because A1111 changes the prompt, the ControlNets and the inpainted area from step to step; a plain
picture comes out bit for bit as from ``StableDiffusionPipeline`` with the same scheduler.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from webui_engine.diffusion.conditioning import Conditioning, Guidance
from webui_engine.diffusion.latents import preview
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.prediction import Prediction, alpha_at
from webui_engine.errors import NotANumber
from webui_engine.tasks import Monitor

Residuals = tuple[list[torch.Tensor], torch.Tensor]
Added = dict[str, torch.Tensor]
"""SDXL's further conditions under diffusers' names: text_embeds (rows, width) and time_ids (rows, 6)."""


class Control(Protocol):
    """A ControlNet unit as the loop sees it."""

    def residuals(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        vectors: torch.Tensor,
        share: float,
        batch: int,
        added: Added | None = None,
    ) -> Residuals | None:
        """What to add to the denoiser's blocks at this share (0 to 1) of the steps, or None.

        sample, vectors and what is in added hold batch unconditioned rows first when there are more rows than batch.
        """


class Features(Protocol):
    """IP-Adapter units as the loop sees them."""

    def at(self, share: float, rows: int, batch: int, *, second_pass: bool) -> list[torch.Tensor]:
        """What each unit gives the denoiser at this share (0 to 1) of the steps, rows for each picture of the batch."""


class References(Protocol):
    """Reference pictures as the loop sees them."""

    def look(
        self,
        scheduler: Any,
        timestep: torch.Tensor,
        vectors: torch.Tensor,
        added: dict[str, Any] | None,
        extra_channels: torch.Tensor | None,
        *,
        share: float,
        unconditioned: int,
    ) -> None:
        """Show the denoiser the references of this share (0 to 1) of the steps before it is asked about the picture."""


class Moving(Protocol):
    """What makes one moving picture of a batch, as the loop sees it."""

    def windows(self, step: int) -> Sequence[Sequence[int]]:
        """The numbers of the pictures that are asked for together at a step (from 0), window by window."""

    def predict(
        self,
        inputs: torch.Tensor,
        timestep: torch.Tensor,
        vectors: torch.Tensor,
        residuals: tuple[list[torch.Tensor] | None, torch.Tensor | None],
        frames: int,
    ) -> torch.Tensor:
        """What the network answers to rows of frames pictures each; residuals: of ControlNets."""


@dataclass(frozen=True, slots=True)
class LatentMask:
    """mask: (1 or batch, 1, h, w), 1 where the picture is painted anew; elsewhere it stays kept, (batch, c, h, w)."""

    mask: torch.Tensor
    kept: torch.Tensor

    def apply(self, latents: torch.Tensor) -> torch.Tensor:
        """latents with everything outside the mask put back."""
        return latents * self.mask + self.kept * (1 - self.mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The checkpoint that takes over in a pass, and its own conditions.

    switch_at: the share of the steps, 0 to 1. sizes: as Pass has them. What steers the first checkpoint ends there.
    """

    model: Model
    switch_at: float
    conditioning: Conditioning
    sizes: torch.Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One run of the sampler.

    begin: the first step to run (from 0) of scheduler's steps. second: whether it is that of hires fix. extra_channels:
    what an inpainting denoiser wants beside the latents. moving: asked in place of the model's denoiser. step_options:
    A1111's eta and s_* numbers, given to schedulers that know them. sizes: what SDXL is told of the picture's size,
    (6,); None for other models.
    """

    scheduler: Any
    steps: int
    begin: int = 0
    cfg_scale: float
    conditioning: Conditioning
    generators: Sequence[torch.Generator]
    controls: Sequence[Control] = ()
    features: Features | None = None
    references: References | None = None
    second: bool = False
    mask: LatentMask | None = None
    extra_channels: torch.Tensor | None = None
    sizes: torch.Tensor | None = None
    finish: Finish | None = None
    moving: Moving | None = None
    step_options: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The latents (batch, channels, h, w), and whether the pass ran to its end."""

    latents: torch.Tensor
    finished: bool


def executed_steps(run: Pass) -> int:
    """How many steps the pass will report."""
    return run.steps - run.begin


def noisy_start(run: Pass, noise: torch.Tensor, picture: torch.Tensor | None = None) -> torch.Tensor:
    """What the sampler starts from: noise alone, or the latents of a picture under as much noise as run.begin has."""
    scheduler = run.scheduler
    if picture is None:
        start: torch.Tensor = noise * scheduler.init_noise_sigma
    else:
        _begin(run)
        first = scheduler.timesteps[run.begin * int(scheduler.order)].reshape(1)
        start = scheduler.add_noise(picture, noise, first.expand(len(picture)))
    return start


def _begin(run: Pass) -> None:
    if hasattr(run.scheduler, "set_begin_index"):
        run.scheduler.set_begin_index(run.begin * int(run.scheduler.order))


def sample(model: Model, run: Pass, latents: torch.Tensor, monitor: Monitor) -> Outcome:
    """Denoise latents, which already carry the scheduler's noise, and report each step.

    When the monitor wants the work stopped, the clean picture that the last prediction means is given back.
    """
    scheduler, order = run.scheduler, int(run.scheduler.order)
    _begin(run)
    options = _step_options(run)
    timesteps = scheduler.timesteps[run.begin * order :]
    denoiser = _Denoiser(model, run, len(latents))
    for call, timestep in enumerate(timesteps):
        prediction = denoiser.predict(latents, timestep, call)
        latents = scheduler.step(prediction.output, timestep, latents, **options, return_dict=False)[0]
        if (call + 1) % order and call + 1 < len(timesteps):
            continue
        _report(monitor, min(call // order + 1, executed_steps(run)), model, prediction)
        if (monitor.interrupted or monitor.skipped) and call + 1 < len(timesteps):
            return Outcome(prediction.picture(), finished=False)
    if run.mask is not None:
        latents = run.mask.apply(latents)
    if not bool(torch.isfinite(latents).all()):
        raise NotANumber("unet")
    return Outcome(latents, finished=True)


def _report(monitor: Monitor, step: int, model: Model, prediction: Prediction) -> None:
    monitor.step(step, preview(model, prediction.picture()) if monitor.wants_preview else None)


def _step_options(run: Pass) -> dict[str, Any]:
    known = inspect.signature(run.scheduler.step).parameters
    options: dict[str, Any] = {key: value for key, value in run.step_options.items() if key in known}
    if "generator" in known:
        options["generator"] = list(run.generators)
    return options


class _Denoiser:
    """Asks the network with classifier-free guidance, controls and the inpainting mask."""

    def __init__(self, model: Model, run: Pass, batch: int) -> None:
        self._unet, self._run, self._batch = model.unet, run, batch
        self._order = int(run.scheduler.order)
        self._kind = str(run.scheduler.config.prediction_type)
        self._conditioning, self._sizes, self._is_finishing = run.conditioning, run.sizes, False
        self._guidance: Guidance | None = None
        self._vectors = torch.empty(0)
        self._extra: Added | None = None

    def predict(self, latents: torch.Tensor, timestep: torch.Tensor, call: int) -> Prediction:
        """The guided prediction for latents at call number call of this pass."""
        run = self._run
        self._hand_over(call)
        guidance = self._guidance_at(call // self._order + 1)
        rows = len(self._vectors) // self._batch
        inputs = run.scheduler.scale_model_input(
            torch.cat([latents] * rows) if rows > 1 else latents, timestep
        )
        output = self._guided(self._ask(inputs, timestep, call, rows), guidance, rows)
        alpha = alpha_at(run.scheduler, run.begin * self._order + call, timestep)
        prediction = Prediction(output, inputs[: self._batch], alpha, self._kind)
        if run.mask is None:
            return prediction
        blended = prediction.output_for(run.mask.apply(prediction.picture()))
        return Prediction(blended, prediction.sample, alpha, self._kind)

    def _hand_over(self, call: int) -> None:
        """Go on with the checkpoint that finishes, when its time has come."""
        finish = self._run.finish
        if finish is None or self._is_finishing or self._share(call) < finish.switch_at:
            return
        self._unet, self._conditioning, self._sizes = finish.model.unet, finish.conditioning, finish.sizes
        self._guidance, self._is_finishing = None, True

    def _share(self, call: int) -> float:
        return (call // self._order) / max(1, executed_steps(self._run))

    def _guidance_at(self, step: int) -> Guidance:
        guidance = self._conditioning.at(step)
        if guidance is not self._guidance:
            plain = self._run.cfg_scale == 1.0 and guidance.weights == (1.0,)
            first = 1 if plain else 0
            self._vectors = guidance.vectors[first:].expand(-1, self._batch, -1, -1).flatten(0, 1)
            self._extra = self._told_besides(guidance, first)
            self._guidance = guidance
        return guidance

    def _told_besides(self, guidance: Guidance, first: int) -> Added | None:
        """What SDXL is told beside the vectors, a row for each of theirs."""
        if guidance.pooled is None or self._sizes is None:
            return None
        pooled = guidance.pooled[first:].repeat_interleave(self._batch, dim=0)
        return {"text_embeds": pooled, "time_ids": self._sizes.expand(len(pooled), -1)}

    def _ask(self, inputs: torch.Tensor, timestep: torch.Tensor, call: int, rows: int) -> torch.Tensor:
        share = self._share(call)
        if self._run.moving is not None:
            return self._ask_in_windows(self._run.moving, inputs, timestep, call, rows)
        self._show_references(timestep, share, rows)
        down, mid = self._controls(inputs, timestep, share, self._vectors, self._batch)
        inputs = self._with_extra_channels(inputs, rows)
        answer: torch.Tensor = self._unet(
            inputs,
            timestep,
            encoder_hidden_states=self._vectors,
            added_cond_kwargs=self._added(share, rows),
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            return_dict=False,
        )[0]
        return answer

    def _ask_in_windows(
        self, moving: Moving, inputs: torch.Tensor, timestep: torch.Tensor, call: int, rows: int
    ) -> torch.Tensor:
        """The same for a clip, window by window; of frames in several windows the last answer counts."""
        answer = torch.zeros_like(inputs)
        full = self._with_extra_channels(inputs, rows)
        for window in moving.windows(call // self._order):
            chosen = [row * self._batch + frame for row in range(rows) for frame in window]
            vectors = self._vectors[chosen]
            residuals = self._controls(inputs[chosen], timestep, self._share(call), vectors, len(window))
            answer[chosen] = moving.predict(full[chosen], timestep, vectors, residuals, len(window))
        return answer

    def _with_extra_channels(self, inputs: torch.Tensor, rows: int) -> torch.Tensor:
        extra = self._run.extra_channels
        return inputs if extra is None else torch.cat([inputs, torch.cat([extra] * rows)], dim=1)

    def _show_references(self, timestep: torch.Tensor, share: float, rows: int) -> None:
        run = self._run
        if run.references is None or self._is_finishing:
            return
        added = self._added(share, rows) or {}
        last: dict[str, Any] = {
            key: [one[-1:] for one in value] if isinstance(value, list) else value[-1:]
            for key, value in added.items()
        }
        run.references.look(
            run.scheduler,
            timestep,
            self._vectors[-1:],
            last or None,
            run.extra_channels,
            share=share,
            unconditioned=self._batch if rows > 1 else 0,
        )

    def _added(self, share: float, rows: int) -> dict[str, Any] | None:
        run = self._run
        if run.features is None or self._is_finishing:
            return self._extra
        seen = run.features.at(share, rows, self._batch, second_pass=run.second)
        return {**(self._extra or {}), "image_embeds": seen}

    def _controls(
        self, inputs: torch.Tensor, timestep: torch.Tensor, share: float, vectors: torch.Tensor, batch: int
    ) -> tuple[list[torch.Tensor] | None, torch.Tensor | None]:
        given = [
            control.residuals(inputs, timestep, vectors, share, batch, self._extra)
            for control in (() if self._is_finishing else self._run.controls)
        ]
        down: list[torch.Tensor] | None = None
        mid: torch.Tensor | None = None
        for residuals in given:
            if residuals is None:
                continue
            down = residuals[0] if down is None else [a + b for a, b in zip(down, residuals[0], strict=True)]
            mid = residuals[1] if mid is None else mid + residuals[1]
        return down, mid

    def _guided(self, output: torch.Tensor, guidance: Guidance, rows: int) -> torch.Tensor:
        if rows == 1:
            return output
        negative, *parts = output.chunk(rows)
        guided = negative
        for part, weight in zip(parts, guidance.weights, strict=True):
            guided = guided + self._run.cfg_scale * weight * (part - negative)
        return guided

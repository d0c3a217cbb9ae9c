"""One training step, and what goes into it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

from training.embedded.caches import Crops
from training.embedded.methods import Teaching
from training.embedded.optimizers import make_optimizer
from training.embedded.plan import LearningPlan
from training.embedded.words import Words
from webui_engine.diffusion.model import Model

LARGEST_GRADIENT = 1.0


class LossNotANumber(Exception):
    """The loss of step became NaN or infinite; the learning rate is too high for this model."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss of step {step} is not a number")
        self.step = step


@dataclass(frozen=True, slots=True)
class Batch:
    """Noisy latents and what the UNet should answer.

    captions: numbers of what they show, shape (batch,). weights: of each sample's loss, shape (batch,); the loss is
    their sum. faces: as in Crops, for the first samples, those of the person.
    """

    noisy: torch.Tensor
    timesteps: torch.Tensor
    captions: torch.Tensor
    target: torch.Tensor
    weights: torch.Tensor
    faces: torch.Tensor


@dataclass(frozen=True, slots=True)
class Drawn:
    """What chance decides about a step. size: number of the crop size. crops, prior: which of that size are learned.

    The others are of the person's samples, then those of the class; prior is None without any. On the processor.
    """

    size: int
    crops: torch.Tensor
    timesteps: torch.Tensor
    noise: torch.Tensor
    captions: torch.Tensor
    prior: torch.Tensor | None = None


class NoiseSchedule:
    """The checkpoint's own noise schedule, and Min-SNR weights (Hang et al. 2023) for its kind of prediction."""

    def __init__(self, config: Any, snr_gamma: float, device: torch.device) -> None:
        self._scheduler = DDPMScheduler.from_config(config)
        self.steps = int(self._scheduler.config.num_train_timesteps)
        self._predicts_velocity = self._scheduler.config.prediction_type == "v_prediction"
        alphas = self._scheduler.alphas_cumprod.double()
        snr = alphas / (1 - alphas).clamp(min=1e-12)
        capped = snr.clamp(max=snr_gamma)
        weights = capped / (snr + 1) if self._predicts_velocity else capped / snr.clamp(min=1e-12)
        self._weights = (weights if snr_gamma else torch.ones_like(snr)).float().to(device)

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """latents with as much noise as timesteps say."""
        noisy: torch.Tensor = self._scheduler.add_noise(latents, noise, timesteps)
        return noisy

    def target(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """What the UNet should answer: velocity (Salimans & Ho 2022) or noise, as the checkpoint was trained."""
        if not self._predicts_velocity:
            return noise
        velocity: torch.Tensor = self._scheduler.get_velocity(latents, noise, timesteps)
        return velocity

    def weights(self, timesteps: torch.Tensor) -> torch.Tensor:
        """The weight of each sample's loss; 1 without Min-SNR."""
        weights: torch.Tensor = self._weights[timesteps]
        return weights


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned from, ready on the device. crops: by size. captions: how many there are for the person.

    After them comes the empty caption, then that of the class. prior: latents of the class by size, none without.
    """

    crops: tuple[Crops, ...]
    captions: int
    prior: tuple[torch.Tensor, ...] = ()


class Batches:
    """The batch of each step, drawn from the material by seed and step alone: a resumed training sees the same."""

    def __init__(
        self, material: Material, plan: LearningPlan, schedule: NoiseSchedule, device: torch.device
    ) -> None:
        self._crops = tuple(
            Crops(crops.latents.to(device), crops.faces.to(device)) for crops in material.crops
        )
        self._prior = tuple(latents.to(device) for latents in material.prior)
        self._captions, self._plan, self._schedule = material.captions, plan, schedule
        self._material, self._device = material, device

    @property
    def size(self) -> int:
        """Samples of the person in a batch."""
        return self._plan.batch_size

    def halved(self) -> Batches:
        """The same with half as many samples in a batch."""
        plan = replace(self._plan, batch_size=self.size // 2)
        return Batches(self._material, plan, self._schedule, self._device)

    def at(self, step: int) -> Batch:
        """The batch of a step, counted from 0. Crop sizes take turns."""
        drawn = self.drawn(step)
        crops = self._crops[drawn.size]
        chosen = drawn.crops.to(self._device)
        latents = crops.latents[chosen]
        shares = torch.full((self.size,), 1 / self.size)
        if drawn.prior is not None:
            latents = torch.cat([latents, self._prior[drawn.size][drawn.prior.to(self._device)]])
            shares = torch.cat([shares, shares * self._plan.method.prior_loss_weight])
        timesteps, noise = drawn.timesteps.to(self._device), drawn.noise.to(self._device)
        return Batch(
            noisy=self._schedule.add_noise(latents, noise, timesteps),
            timesteps=timesteps,
            captions=drawn.captions.to(self._device),
            target=self._schedule.target(latents, noise, timesteps),
            weights=self._schedule.weights(timesteps) * shares.to(self._device),
            faces=crops.faces[chosen],
        )

    def drawn(self, step: int) -> Drawn:
        """What chance decides about a step."""
        source = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + step)
        size = step % len(self._crops)
        latents = self._crops[size].latents
        shape = torch.Size((self.size, *latents.shape[1:]))
        crops = self._draw(len(latents), source)
        timesteps = self._draw(self._schedule.steps, source)
        noise = self._noise(shape, source)
        captions = self._draw_captions(source)
        if not self._prior:
            return Drawn(size, crops, timesteps, noise, captions)
        prior = self._draw(len(self._prior[size]), source)
        timesteps = torch.cat([timesteps, self._draw(self._schedule.steps, source)])
        noise = torch.cat([noise, self._noise(shape, source)])
        captions = torch.cat([captions, torch.full_like(captions, self._captions + 1)])
        return Drawn(size, crops, timesteps, noise, captions, prior)

    def _draw(self, below: int, source: torch.Generator) -> torch.Tensor:
        return torch.randint(below, (self.size,), generator=source)

    def _noise(self, shape: torch.Size, source: torch.Generator) -> torch.Tensor:
        """Gaussian noise, a little of it common to each channel so that light and dark pictures can be learned."""
        common = torch.randn((shape[0], shape[1], 1, 1), generator=source)
        return torch.randn(shape, generator=source) + self._plan.noise_offset * common

    def _draw_captions(self, source: torch.Generator) -> torch.Tensor:
        """The number of a caption for each sample; that of the empty one where it is dropped."""
        dropped = torch.rand(self.size, generator=source) < self._plan.caption_dropout
        return torch.where(dropped, torch.tensor(self._captions), self._draw(self._captions, source))


class Learner:
    """A UNet that is taught step by step."""

    def __init__(self, model: Model, plan: LearningPlan, teaching: Teaching, words: Words) -> None:
        self.unet: UNet2DConditionModel = model.unet
        self._plan, self._device, self._teaching, self._words = plan, model.device, teaching, words
        self.parameters = [parameter for share in teaching.shares for parameter in share.parameters]
        self.unet.train()
        self.optimizer = make_optimizer(plan.method.optimizer, teaching.shares)
        compiled = plan.method.compiled and model.device.is_cuda
        self._answer = torch.compile(self.unet) if compiled else self.unet

    def step(self, number: int, batch: Batch) -> torch.Tensor:
        """Learn from one batch; its loss, still on the device. number: of the step, counted from 0."""
        self._set_rates(number)
        loss = self._loss(batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.parameters, LARGEST_GRADIENT)
        self._teaching.move(self.optimizer)
        self.forget_gradients()
        return loss.detach()

    def forget_gradients(self) -> None:
        """Free what a step leaves behind."""
        self.optimizer.zero_grad(set_to_none=True)

    def _set_rates(self, number: int) -> None:
        for share, group in zip(self._teaching.shares, self.optimizer.param_groups, strict=True):
            learns = number in share.steps
            done = number - share.steps.start
            group["lr"] = share.learning_rate * rate_at(done, share.steps, self._plan) if learns else 0.0
            for parameter in share.parameters:
                parameter.requires_grad_(learns)

    def _loss(self, batch: Batch) -> torch.Tensor:
        dtype = self._device.dtype
        mixed = dtype is not torch.float32
        with torch.autocast(self._device.place.type, dtype=dtype, enabled=mixed):
            text = self._words.at(batch.captions)
            answer = self._answer(batch.noisy.to(dtype), batch.timesteps, text, return_dict=False)[0]
        apart = (answer.float() - batch.target).square()
        loss: torch.Tensor = (self.loss_of_each(apart, batch.faces) * batch.weights).sum()
        return loss

    def loss_of_each(self, apart: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        """The loss of each sample, shape (batch,), from the squared distances, shape (batch, channels, …).

        Masked: outside the face a share counts. Facial: the face's own mean once more.
        """
        method = self._plan.method
        plain = apart.mean(dim=(1, 2, 3))
        if not method.looks_at_face:
            return plain
        persons, others = apart[: len(faces)], plain[len(faces) :]
        mask = faces + method.outside_face_weight * (1 - faces)
        losses = _mean_under(persons, mask) + method.facial_loss_weight * _mean_under(persons, faces)
        return torch.cat([losses, others])


def _mean_under(apart: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of each sample weighted by mask, shape (batch, 1, height, width)."""
    return (apart.mean(dim=1, keepdim=True) * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))


def rate_at(step: int, steps: Sequence[int], plan: LearningPlan) -> float:
    """The share of the learning rate at a step of steps: a linear rise, then half a cosine down to a hundredth."""
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    done = min((step - plan.warmup_steps) / max(len(steps) - plan.warmup_steps, 1), 1.0)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2

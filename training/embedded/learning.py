"""One training step, and what goes into it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

from training.embedded.caches import Cache
from training.embedded.networks import add_adapter
from training.embedded.plan import LearningPlan
from webui_engine.diffusion.model import Model

LARGEST_GRADIENT = 1.0


class LossNotANumber(Exception):
    """The loss of step became NaN or infinite; the learning rate is too high for this model."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss of step {step} is not a number")
        self.step = step


@dataclass(frozen=True, slots=True)
class Batch:
    """Noisy latents and what the UNet should answer. weights: of each sample's loss, shape (batch,)."""

    noisy: torch.Tensor
    timesteps: torch.Tensor
    text: torch.Tensor
    target: torch.Tensor
    weights: torch.Tensor


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
        self._weights = weights.float().to(device)

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
        """The weight of each sample's loss."""
        weights: torch.Tensor = self._weights[timesteps]
        return weights


class Batches:
    """The batch of each step, drawn from the cache by seed and step alone, so that a resumed training sees the same."""

    def __init__(self, cache: Cache, plan: LearningPlan, schedule: NoiseSchedule, model: Model) -> None:
        device = model.device.place
        self._latents = tuple(latents.to(device) for latents in cache.latents)
        self._text = cache.text.to(device, model.device.dtype)
        self._plan, self._schedule = plan, schedule

    def at(self, step: int) -> Batch:
        """The batch of a step, counted from 0. Crop sizes take turns."""
        source = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + step)
        crops = self._latents[step % len(self._latents)]
        device = crops.device
        latents = crops[self._draw(len(crops), source).to(device)]
        timesteps = self._draw(self._schedule.steps, source).to(device)
        noise = self._noise(latents.shape, source).to(device)
        return Batch(
            noisy=self._schedule.add_noise(latents, noise, timesteps),
            timesteps=timesteps,
            text=self._text[self._captions(source).to(device)],
            target=self._schedule.target(latents, noise, timesteps),
            weights=self._schedule.weights(timesteps),
        )

    def _draw(self, below: int, source: torch.Generator) -> torch.Tensor:
        return torch.randint(below, (self._plan.batch_size,), generator=source)

    def _noise(self, shape: torch.Size, source: torch.Generator) -> torch.Tensor:
        """Gaussian noise, a little of it common to each channel so that light and dark pictures can be learned."""
        common = torch.randn((shape[0], shape[1], 1, 1), generator=source)
        return torch.randn(shape, generator=source) + self._plan.noise_offset * common

    def _captions(self, source: torch.Generator) -> torch.Tensor:
        """An index into the text embeddings for each sample; the last one, the empty caption, where it is dropped."""
        last = len(self._text) - 1
        dropped = torch.rand(self._plan.batch_size, generator=source) < self._plan.caption_dropout
        return torch.where(dropped, torch.tensor(last), self._draw(last, source))


class Learner:
    """A UNet with an adapter that learns step by step."""

    def __init__(self, model: Model, plan: LearningPlan) -> None:
        self.unet: UNet2DConditionModel = model.unet
        self._plan, self._device = plan, model.device
        self.parameters = add_adapter(self.unet, plan)
        self.unet.train()
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=plan.learning_rate, weight_decay=1e-2, betas=(0.9, 0.99), fused=True
        )

    def step(self, number: int, batch: Batch) -> float:
        """Learn from one batch; its loss. number: of the step, counted from 0. Raises LossNotANumber."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._plan.learning_rate * rate_at(number, self._plan)
        loss = self._loss(batch)
        value = loss.item()
        if not math.isfinite(value):
            raise LossNotANumber(number)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.parameters, LARGEST_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return value

    def _loss(self, batch: Batch) -> torch.Tensor:
        dtype = self._device.dtype
        mixed = dtype is not torch.float32
        with torch.autocast(self._device.place.type, dtype=dtype, enabled=mixed):
            answer = self.unet(batch.noisy.to(dtype), batch.timesteps, batch.text, return_dict=False)[0]
        apart = (answer.float() - batch.target).square().mean(dim=(1, 2, 3))
        loss: torch.Tensor = (apart * batch.weights).mean()
        return loss


def rate_at(step: int, plan: LearningPlan) -> float:
    """The share of the learning rate at a step: a linear rise, then half a cosine down to a hundredth."""
    if step < plan.warmup_steps:
        return (step + 1) / plan.warmup_steps
    done = (step - plan.warmup_steps) / max(plan.steps - plan.warmup_steps, 1)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2

"""What one step of training teaches the denoiser: the velocity of noised latents."""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler
from torch import Tensor

MIN_SNR_GAMMA = 5.0
PURE_NOISE_FROM = 960


def noised(
    scheduler: DDIMScheduler, latents: Tensor, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Noised latents, their steps, and the velocity to be predicted (Salimans & Ho 2022).

    latents: (count, channels, height, width). Half of the steps from PURE_NOISE_FROM on get noise alone, for that is
    what sampling begins with, while the schedule leaves a trace of the picture in its last step.
    """
    count = len(latents)
    steps = torch.randint(0, 1000, (count,), generator=generator).to(latents.device)
    noise = torch.randn(latents.shape, generator=generator).to(latents.device)
    pure = (torch.rand(count, generator=generator).to(latents.device) < 0.5) & (steps >= PURE_NOISE_FROM)
    mixed = torch.where(pure[:, None, None, None], noise, scheduler.add_noise(latents, noise, steps))
    return mixed, steps, scheduler.get_velocity(latents, noise, steps)


def weighted_loss(
    scheduler: DDIMScheduler, predicted: Tensor, target: Tensor, steps: Tensor, places: Tensor
) -> Tensor:
    """Squared error with the min-SNR weights for velocities (Hang et al. 2023).

    places: how much each latent counts, (count, 1, height, width).
    """
    share = scheduler.alphas_cumprod.to(target.device)[steps]
    snr = share / (1 - share)
    weight = snr.clamp(max=MIN_SNR_GAMMA) / (snr + 1)
    error = ((predicted.float() - target).square() * places).mean((1, 2, 3)) / places.mean((1, 2, 3))
    loss: Tensor = (weight * error).mean() / weight.mean()
    return loss

"""From what the denoiser says to the picture it means, and back.

With a = the product of the alphas at a step, a noisy latent is x = sqrt(a) x0 + sqrt(1 - a) noise. The network predicts
the noise, or the velocity v = sqrt(a) noise - sqrt(1 - a) x0 (Salimans & Ho 2022), or x0 itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the denoiser answered to sample, scaled to unit variance, at the noise level alpha (a, from 0 to 1)."""

    output: torch.Tensor
    sample: torch.Tensor
    alpha: float
    kind: str

    def picture(self) -> torch.Tensor:
        """The clean latents x0 it means."""
        signal, noise = sqrt(self.alpha), sqrt(1 - self.alpha)
        if self.kind == "sample":
            return self.output
        if self.kind == "v_prediction":
            return signal * self.sample - noise * self.output
        return (self.sample - noise * self.output) / signal

    def output_for(self, picture: torch.Tensor) -> torch.Tensor:
        """What the denoiser would have answered had it meant picture."""
        signal, noise = sqrt(self.alpha), sqrt(1 - self.alpha)
        if self.kind == "sample":
            return picture
        implied = (self.sample - signal * picture) / noise
        return signal * implied - noise * picture if self.kind == "v_prediction" else implied


def alpha_at(scheduler: Any, index: int, timestep: torch.Tensor) -> float:
    """The noise level of call number index of a diffusers scheduler, at timestep.

    Schedulers that interpolate between their sigmas (the DPM2 family) and those without sigmas are read by the time.
    """
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is not None and not hasattr(scheduler, "sigmas_interpol"):
        return float(1 / (1 + sigmas[index].double() ** 2))
    alphas = scheduler.alphas_cumprod.double().cpu().numpy()
    log_sigmas = np.log(np.sqrt((1 - alphas) / alphas))
    sigma = np.exp(np.interp(float(timestep), np.arange(len(alphas)), log_sigmas))
    return float(1 / (1 + sigma**2))

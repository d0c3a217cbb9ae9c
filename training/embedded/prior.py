"""Class pictures for prior preservation (Ruiz et al. 2022): what the checkpoint itself draws for the class noun.

They are kept as the latents they come as; no autoencoder is asked. They hold the class where it was while the person is
learnt.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler

from training.embedded.plan import LearningPlan, Size
from training.embedded.words import RememberedWords
from webui_engine.diffusion.model import Model

STEPS = 20
GUIDANCE = 5.0
DRAWN_TOGETHER = 4


def draw_class(
    model: Model, caption: str, plan: LearningPlan, on_share: Callable[[float], None]
) -> tuple[torch.Tensor, ...]:
    """plan.prior_pictures of each size as latents, shape (count, channels, height, width), float32.

    Sampled by DDIM (Song et al. 2021) with classifier-free guidance. The same seed draws the same.
    """
    words = RememberedWords(model, [caption, ""])
    drawn = []
    for number, size in enumerate(plan.sizes):

        def tell(share: float, number: int = number) -> None:
            on_share((number + share) / len(plan.sizes))

        drawn.append(_draw_size(model, words, size, plan, tell))
    return tuple(drawn)


def _draw_size(
    model: Model, words: RememberedWords, size: Size, plan: LearningPlan, on_share: Callable[[float], None]
) -> torch.Tensor:
    source = torch.Generator().manual_seed(plan.seed)
    starts = range(0, plan.prior_pictures, DRAWN_TOGETHER)
    shape = model.latent_shape(*size)
    drawn = []
    for start in starts:
        count = min(DRAWN_TOGETHER, plan.prior_pictures - start)
        noise = torch.randn((count, *shape), generator=source)
        drawn.append(_sample(model, words, noise.to(model.device.place)))
        on_share((start + count) / plan.prior_pictures)
    return torch.cat(drawn)


@torch.no_grad()
def _sample(model: Model, words: RememberedWords, noise: torch.Tensor) -> torch.Tensor:
    scheduler = DDIMScheduler.from_config(model.scheduler_config)
    scheduler.set_timesteps(STEPS)
    text = words.at(torch.tensor([0] * len(noise) + [1] * len(noise)))
    latents: torch.Tensor = noise * scheduler.init_noise_sigma
    dtype = model.device.dtype
    for timestep in scheduler.timesteps:
        doubled = torch.cat([latents, latents]).to(dtype)
        with torch.autocast(model.device.place.type, dtype=dtype, enabled=dtype is not torch.float32):
            answer = model.unet(doubled, timestep.to(model.device.place), text, return_dict=False)[0]
        wanted, unwanted = answer.float().chunk(2)
        guided = unwanted + GUIDANCE * (wanted - unwanted)
        latents = scheduler.step(guided, timestep, latents, return_dict=False)[0]
    return latents

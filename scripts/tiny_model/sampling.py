"""Pictures from the packaged model, made in batches from fixed seeds, and contact sheets of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import AnimateDiffPipeline, DDIMScheduler, MotionAdapter, StableDiffusionPipeline
from numpy.typing import NDArray

from .motion import clip_noise
from .shapes import LATENT_CHANNELS, NATIVE_SIZE, STRIDE

Picture = NDArray[np.uint8]
STEPS = 12
GUIDANCE = 4.0
BATCH = 16


def sample(
    pipeline: StableDiffusionPipeline,
    prompts: Sequence[str],
    *,
    size: tuple[int, int] = (128, 128),
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    negative: str = "",
    first_seed: int = 0,
) -> list[Picture]:
    """One picture a prompt, RGB uint8; prompt i starts from the noise of seed first_seed + i."""
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pictures: list[Picture] = []
    for start in range(0, len(prompts), BATCH):
        part = list(prompts[start : start + BATCH])
        seeds = [first_seed + start + index for index in range(len(part))]
        made = pipeline(
            part,
            negative_prompt=[negative] * len(part),
            width=size[0],
            height=size[1],
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            output_type="np",
        ).images
        pictures.extend((picture * 255).round().astype(np.uint8) for picture in made)
    return pictures


def sample_loop(
    pipeline: StableDiffusionPipeline,
    adapter: MotionAdapter,
    prompt: str,
    *,
    frames: int,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    seed: int = 0,
) -> list[Picture]:
    """The frames of one loop, RGB uint8."""
    moving = AnimateDiffPipeline(
        vae=pipeline.vae,
        text_encoder=pipeline.text_encoder,
        tokenizer=pipeline.tokenizer,
        unet=pipeline.unet,
        motion_adapter=adapter,
        scheduler=DDIMScheduler.from_config(pipeline.scheduler.config),
    )
    shape = (1, frames, LATENT_CHANNELS, NATIVE_SIZE // STRIDE, NATIVE_SIZE // STRIDE)
    moving.set_progress_bar_config(disable=True)
    made = moving(
        prompt,
        num_frames=frames,
        width=NATIVE_SIZE,
        height=NATIVE_SIZE,
        num_inference_steps=steps,
        guidance_scale=guidance,
        latents=clip_noise(shape, torch.Generator().manual_seed(seed)).transpose(1, 2),
        output_type="np",
    ).frames[0]
    return [(picture * 255).round().astype(np.uint8) for picture in made]


def contact_sheet(pictures: Sequence[Picture], columns: int) -> Picture:
    """pictures of one size side by side, columns to a row; a last row that is not full is left out."""
    rows = len(pictures) // columns
    return np.concatenate(
        [np.concatenate(pictures[row * columns : (row + 1) * columns], 1) for row in range(rows)]
    )

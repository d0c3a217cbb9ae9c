"""How long, how wide and how fast to learn: chosen by the size of the model, unless the request says so."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from training.port import TrainingRequest

SMALL_MODEL_PARAMETERS = 100_000_000
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPlan:
    """All numbers of one training.

    layers: "all" adapts every linear and convolution layer, "attention" the linear layers of the transformers alone.
    sizes: (width, height) of crops in pixels; every step uses one of them. crops_per_photo: of each size.
    caption_dropout: share of samples learned without a caption. snr_gamma: Min-SNR weighting (Hang et al. 2023).
    noise_offset: share of noise common to a whole channel. warmup_steps: until the learning rate is reached.
    """

    steps: int
    batch_size: int
    rank: int
    learning_rate: float
    layers: Literal["all", "attention"]
    sizes: tuple[Size, ...]
    crops_per_photo: int
    caption_dropout: float
    snr_gamma: float
    noise_offset: float
    warmup_steps: int
    seed: int


def plan_learning(request: TrainingRequest, unet_parameters: int, native_size: int) -> LearningPlan:
    """The plan for a request on a model with so many parameters in its UNet, made for pictures of native_size pixels.

    A small model is far from photographs, so every layer must move and fast; a full one only needs a nudge (the values
    are those commonly used for LoRA on Stable Diffusion 1.5).
    """
    small = unet_parameters < SMALL_MODEL_PARAMETERS
    photos = len(request.photos)
    steps = request.steps or (700 if small else min(max(120 * photos, 800), 2000))
    return LearningPlan(
        steps=steps,
        batch_size=request.batch_size or (4 if small else 1),
        rank=request.rank or 16,
        learning_rate=request.learning_rate or (2e-3 if small else 1e-4),
        layers="all" if small else "attention",
        sizes=_sizes(native_size, small),
        crops_per_photo=min(max(ceil(48 / photos), 2), 16) if small else 4,
        caption_dropout=0.05,
        snr_gamma=5.0,
        noise_offset=0.05,
        warmup_steps=min(20, steps // 10),
        seed=request.seed,
    )


def _sizes(native: int, small: bool) -> tuple[Size, ...]:
    """A square and an upright size, multiples of 64 pixels where the model is a full one."""
    if small:
        return (native, native), (native, native * 3 // 2)
    return (native, native), (native * 7 // 8 // 64 * 64, native * 5 // 4 // 64 * 64)

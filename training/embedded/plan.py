"""How long, how wide and how fast to learn: chosen by the size of the model, unless the request says so."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from training.method import Method
from training.port import TrainingRequest

SMALL_MODEL_PARAMETERS = 100_000_000
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPlan:
    """All numbers of one training.

    layers: "all" adapts every linear and convolution layer, "attention" the linear layers of the transformers alone.
    learning_rate: of the UNet; text_rate: of the text encoder; word_rate: of a learnt word. word_steps: how many of the
    steps teach the word; the others teach the networks. prior_pictures: of the class, of each size, made beforehand.
    sizes: (width, height) of crops in pixels; every step uses one of them. crops_per_photo: of each size.
    caption_dropout: share of samples learned without a caption. snr_gamma: Min-SNR weighting (Hang et al. 2023), 0 for
    none.
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
    method: Method
    text_rate: float
    word_rate: float
    word_steps: int
    prior_pictures: int


def plan_learning(request: TrainingRequest, unet_parameters: int, native_size: int) -> LearningPlan:
    """The plan for a request on a model with so many parameters in its UNet, made for pictures of native_size pixels.

    A small model is far from photographs, so every layer must move and fast; a full one only needs a nudge (the values
    are those commonly used for LoRA on Stable Diffusion 1.5).
    """
    small = unet_parameters < SMALL_MODEL_PARAMETERS
    photos, method = len(request.photos), request.method
    steps = request.steps or (700 if small else min(max(120 * photos, 800), 2000))
    rates = _rates(method, small, request.learning_rate)
    return LearningPlan(
        steps=steps,
        batch_size=request.batch_size or (4 if small else 1),
        rank=request.rank or 16,
        learning_rate=rates.networks,
        layers="all" if small or method.name == "locon" else "attention",
        sizes=_sizes(native_size, small),
        crops_per_photo=min(max(ceil(48 / photos), 2), 16) if small else 4,
        caption_dropout=0.0 if method.form == "embedding" else 0.05,
        snr_gamma=method.min_snr_gamma,
        noise_offset=method.noise_offset,
        warmup_steps=min(20, steps // 10),
        seed=request.seed,
        method=method,
        text_rate=rates.text,
        word_rate=rates.word,
        word_steps=_word_steps(method, steps),
        prior_pictures=(8 if small else 100) if method.keeps_prior else 0,
    )


@dataclass(frozen=True, slots=True)
class _Rates:
    networks: float
    text: float
    word: float


def _rates(method: Method, small: bool, asked: float | None) -> _Rates:
    """The learning rate of each part. asked: of the part that learns most, in place of the usual one.

    The full model's are those of the papers and of common use: 1e-4 for a LoRA and half of it for the text encoder,
    2e-6 for all weights (kohya's default), 5e-3 for a word (Gal et al. 2022).
    """
    if method.optimizer == "prodigy":
        one = asked or 1.0
        return _Rates(one, one, one)
    usual = (2e-3 if small else 1e-4) if method.form != "checkpoint" else (1e-4 if small else 2e-6)
    networks = usual if asked is None or method.form == "embedding" else asked
    word = 5e-3 if asked is None or method.form != "embedding" else asked
    return _Rates(networks, networks / 2, word)


def _word_steps(method: Method, steps: int) -> int:
    if method.form == "embedding":
        return steps
    return steps // 2 if method.name == "pivotal_tuning" else 0


def _sizes(native: int, small: bool) -> tuple[Size, ...]:
    """A square and an upright size, multiples of 64 pixels where the model is a full one."""
    if small:
        return (native, native), (native, native * 3 // 2)
    return (native, native), (native * 7 // 8 // 64 * 64, native * 5 // 4 // 64 * 64)

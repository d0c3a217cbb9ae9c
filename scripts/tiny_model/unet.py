"""Trains the denoiser on the latents of painted pictures and their captions."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from .captions import caption, distracted, idle_words
from .checkpoint import load_state, save_state
from .diffusion import noised, weighted_loss
from .latents import LatentBatch, LatentDraw, face_weights
from .masters import MasterOptimizer
from .paintings import portrait_at
from .shapes import build_scheduler, build_text_encoder, build_unet
from .text import tokens_of
from .vocabulary import build_tokenizer
from .workers import Meetings

SAVE_SECONDS = 120.0
WARM_UP_STEPS = 150
AVERAGE_DECAY = 0.999
LEARNING_RATE = 1.5e-3
SILENT, IDLE, DISTRACTED = 0.06, 0.05, 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class UnetRun:
    """One stretch of training.

    work: folder of the states. seconds: how long. cool: over which last share of the time the rate falls to nothing.
    only: train on this many pictures alone, to see whether the network can learn at all.
    """

    work: Path
    seconds: float
    batch: int = 16
    learning_rate: float = LEARNING_RATE
    cool: float = 0.35
    only: int | None = None
    device: str = "cpu"


def load_text_encoder(state_file: Path, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """The taught text encoder, for use."""
    state = load_state(state_file)
    if state is None:
        raise FileNotFoundError(f"{state_file} is missing: run the phase 'text' first")
    model = build_text_encoder(tokenizer)
    model.load_state_dict(state["model"])
    return model.eval().requires_grad_(False)


class Listener:
    """Captions of painted pictures as the text encoder's states; silent: share of captions that say nothing."""

    def __init__(
        self, state_file: Path, seed: int, device: str, dtype: torch.dtype, silent: float = SILENT
    ) -> None:
        self._silent = silent
        self._tokenizer = build_tokenizer()
        self._model = load_text_encoder(state_file, self._tokenizer).to(device, dtype)
        self._rng = random.Random(seed)

    @torch.no_grad()
    def states(self, batch: LatentBatch) -> Tensor:
        """(count, 77, width): a fresh caption for each picture of batch."""
        texts = [self._text(batch, number) for number in batch.numbers]
        tokens = tokens_of(self._tokenizer, texts).to(self._model.device)
        states: Tensor = self._model(tokens).last_hidden_state
        return states

    def _text(self, batch: LatentBatch, number: int) -> str:
        choice = self._rng.random()
        if choice < self._silent:
            return ""
        if choice < self._silent + IDLE:
            return idle_words(self._rng, 20)
        text = caption(portrait_at(batch.size, number), self._rng.randrange(2**40))
        return distracted(text, self._rng) if choice > 1 - DISTRACTED else text


def train_unet(run: UnetRun, rank: int, log: Callable[[str], None]) -> None:
    """Go on from run.work / "unet.pt" for run.seconds; worker 0 writes the state every two minutes."""
    network = build_unet().to(run.device, torch.bfloat16).to(memory_format=torch.channels_last).train()
    optimizer = MasterOptimizer(network, run.learning_rate, AVERAGE_DECAY)
    file = run.work / ("unet.pt" if run.only is None else "unet-check.pt")
    state = load_state(file, run.device)
    if state is not None:
        optimizer.restore(state["optimizer"])
    step, samples = (int(state["step"]), int(state["samples"])) if state else (0, 0)
    torch.manual_seed(step * 64 + rank)
    draw = LatentDraw(run.work / "paintings", seed=step * 64 + rank)
    listener = Listener(run.work / "text.pt", step * 64 + rank, run.device, torch.bfloat16)
    scheduler = build_scheduler()
    fixed = draw.batch(run.only) if run.only else None
    saved, meetings = time.monotonic(), Meetings(run.seconds)
    losses: list[float] = []
    while meetings.go_on(optimizer.masters):
        loss = velocity_loss(network, scheduler, fixed or draw.batch(run.batch), listener)
        torch.autograd.backward(loss)
        optimizer.step(min(1.0, (step + 1) / WARM_UP_STEPS) * cooled(meetings.progress, run.cool))
        losses.append(loss.item())
        step, samples = step + 1, samples + run.batch
        if rank == 0 and step % 25 == 0:
            mean, pace = sum(losses[-300:]) / len(losses[-300:]), len(losses) * run.batch / meetings.passed
            log(f"unet step {step}, loss {mean:.4f}, {pace:.1f} pictures/s of worker 0")
        if rank == 0 and time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            save_state(file, {"optimizer": optimizer.state(), "step": step, "samples": samples})
    if rank == 0:
        save_state(file, {"optimizer": optimizer.state(), "step": step, "samples": samples})


def velocity_loss(
    network: UNet2DConditionModel, scheduler: DDIMScheduler, batch: LatentBatch, listener: Listener
) -> Tensor:
    """The loss of one batch, with noise and steps drawn at random."""
    mixed, steps, target = noised(scheduler, batch.latents.to(network.device))
    states = listener.states(batch).to(network.dtype)
    like = mixed.to(network.dtype).contiguous(memory_format=torch.channels_last)
    places = face_weights(batch).to(network.device)
    return weighted_loss(scheduler, network(like, steps, states).sample, target, steps, places)


def cooled(progress: float, cool: float) -> float:
    """Share of the learning rate at progress 0..1: full, then falling to 0.02 over the last share cool."""
    return max(0.02, min(1.0, (1 - progress) / cool)) if cool > 0 else 1.0


def load_unet(state_file: Path) -> UNet2DConditionModel:
    """The averaged denoiser in fp32, for use."""
    state = load_state(state_file)
    if state is None:
        raise FileNotFoundError(f"{state_file} is missing: run the phase 'unet' first")
    network = build_unet()
    with torch.no_grad():
        for parameter, value in zip(
            network.parameters(), state["optimizer"]["average"]["shadow"], strict=True
        ):
            parameter.copy_(value)
    return network.eval().requires_grad_(False)

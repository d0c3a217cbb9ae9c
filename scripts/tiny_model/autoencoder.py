"""Trains the autoencoder on painted portraits, dead leaves and photographs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .checkpoint import Average, State, load_state, save_state
from .muon import Muon
from .pictures import dead_leaves, photograph_crop, random_crop
from .shapes import build_autoencoder
from .workers import Meetings

CROP = 64
KL_WEIGHT = 5e-5
SAVE_SECONDS = 60.0
Painted = NDArray[np.uint8]
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoencoderRun:
    """One stretch of training.

    seconds: how long; the learning rate falls to a twentieth over the second half of it.
    decoder_only: leave the encoder, and so the latents, as they are.
    """

    state_file: Path
    seconds: float
    batch: int = 16
    learning_rate: float = 1.5e-3
    decoder_only: bool = False
    device: str = "cpu"


def train_autoencoder(run: AutoencoderRun, painted: Painted | None, rank: int, log: Log) -> None:
    """Go on from run.state_file for run.seconds; worker 0 saves the averaged network every minute.

    painted: RGB uint8 pictures, shape (count, height, width, 3), or None while there are none.
    """
    model = build_autoencoder().to(run.device).to(memory_format=torch.channels_last)
    state = load_state(run.state_file, run.device)
    if state is not None:
        model.load_state_dict(state["model"])
    trained = _trained_parameters(model, run.decoder_only)
    average = Average(trained, 0.998)
    step = int(state["step"]) if state else 0
    balanced = run.decoder_only and bool(state and state["balanced"])
    optimizer = Muon(trained)
    random = np.random.default_rng([step, rank])
    saved, meetings = time.monotonic(), Meetings(run.seconds)
    while meetings.go_on(trained):
        pictures = to_tensor(draw_batch(run.batch, painted, random)).to(run.device)
        with torch.autocast(run.device, torch.bfloat16):
            loss, parts = reconstruction_loss(model, pictures, run.decoder_only)
        torch.autograd.backward(loss)
        optimizer.step(run.learning_rate * _rate_share(meetings.progress, step))
        model.zero_grad()
        average.update(trained)
        step += 1
        if rank == 0 and step % 100 == 0:
            log(f"autoencoder step {step}, {parts}, {meetings.passed:.0f} s")
        if rank == 0 and time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            save_state(run.state_file, _state(model, trained, average, step) | {"balanced": balanced})
    if rank == 0:
        save_state(run.state_file, _state(model, trained, average, step) | {"balanced": balanced})


def load_autoencoder(state_file: Path, device: str = "cpu") -> AutoencoderKL:
    """The averaged network of a state file, in fp32, for use."""
    state = load_state(state_file, device)
    if state is None:
        raise FileNotFoundError(f"{state_file} is missing: run the phase 'autoencoder' first")
    model = build_autoencoder().to(device)
    model.load_state_dict(state["model"])
    model.register_to_config(scaling_factor=1.0)
    return model.eval().requires_grad_(False)


def is_balanced(state_file: Path) -> bool:
    """Whether the latents' channels were balanced since the encoder was last trained."""
    state = load_state(state_file)
    return bool(state and state["balanced"])


def keep_balanced(state_file: Path, model: AutoencoderKL) -> None:
    """Put model's balanced weights into a state file, whose step stays."""
    state = load_state(state_file)
    step = state["step"] if state else 0
    save_state(state_file, {"model": model.state_dict(), "step": step, "balanced": True})


def reconstruction_loss(model: AutoencoderKL, pictures: Tensor, decoder_only: bool) -> tuple[Tensor, str]:
    """L1, squared error, edges, and both again at quarter size, with a small Kullback-Leibler term.

    pictures: (batch, 3, height, width) in -1..1. Also returns the parts as text for the log.
    """
    with torch.set_grad_enabled(not decoder_only):
        posterior = model.encode(pictures).latent_dist
        latents = posterior.sample()
    restored = model.decode(latents).sample.float()
    error = restored - pictures
    coarse = functional.avg_pool2d(error, 4)
    edges = (error[..., 1:] - error[..., :-1]).abs().mean() + (
        error[..., 1:, :] - error[..., :-1, :]
    ).abs().mean()
    kl = posterior.kl().mean() / latents[0].numel()
    square = error.square().mean()
    loss = error.abs().mean() + 2 * square + 0.5 * edges + coarse.abs().mean() + 2 * coarse.square().mean()
    decibels = 10 * torch.log10(4 / square.detach()).item()
    return loss + KL_WEIGHT * kl * (not decoder_only), f"{decibels:.2f} dB, kl {kl.item():.2f}"


def draw_batch(count: int, painted: Painted | None, random: np.random.Generator) -> NDArray[np.uint8]:
    """count crops of CROP pixels: half painted (when there are painted ones), the rest photographs and leaves."""
    return np.stack([_draw_one(painted, random) for _ in range(count)])


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """RGB uint8 (count, height, width, 3) to floats (count, 3, height, width) in -1..1, channels last."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_pictures(values: Tensor) -> NDArray[np.uint8]:
    """The reverse of to_tensor; values outside -1..1 are cut."""
    pictures: NDArray[np.uint8] = (
        values.float().clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    )
    return pictures


def _draw_one(painted: Painted | None, random: np.random.Generator) -> NDArray[np.uint8]:
    choice = random.random()
    if painted is not None and choice < 0.5:
        return random_crop(painted[int(random.integers(len(painted)))], CROP, random)
    if choice < 0.62:
        return random_crop(dead_leaves(CROP + 16, random), CROP, random)
    return photograph_crop(CROP, random)


def _trained_parameters(model: AutoencoderKL, decoder_only: bool) -> list[torch.nn.Parameter]:
    for module in (model.encoder, model.quant_conv):
        module.requires_grad_(not decoder_only)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _rate_share(progress: float, step: int) -> float:
    return min(1.0, (step + 1) / 100) * max(0.05, min(1.0, 2 * (1 - progress)))


def _state(model: AutoencoderKL, trained: list[torch.nn.Parameter], average: Average, step: int) -> State:
    raw = [parameter.detach().clone() for parameter in trained]
    average.copy_to(trained)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for parameter, value in zip(trained, raw, strict=True):
            parameter.copy_(value)
    return {"model": weights, "step": step}

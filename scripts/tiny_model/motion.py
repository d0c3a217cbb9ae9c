"""Trains the motion module on a denoiser that stays as it is (Guo et al. 2023, AnimateDiff)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDIMScheduler, MotionAdapter, UNetMotionModel
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from .checkpoint import load_state, save_state
from .clips import ClipBatch, ClipDraw
from .diffusion import PURE_NOISE_FROM
from .latents import face_weights
from .masters import MasterOptimizer
from .shapes import build_motion_adapter, build_motion_unet, build_scheduler, build_unet
from .unet import Listener, cooled, load_unet
from .workers import Meetings

SAVE_SECONDS = 120.0
WARM_UP_STEPS = 30
AVERAGE_DECAY = 0.98
LEARNING_RATE = 3e-3
MOVING_WEIGHT = 2.0
MOVING_FROM = 250
NOISY_SHARE, STILL_SHARE = 0.85, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionRun:
    """One stretch of training.

    work: folder of the states. seconds: how long. batch: clips a step. only: train on this many clips alone.
    """

    work: Path
    seconds: float
    batch: int = 1
    learning_rate: float = LEARNING_RATE
    cool: float = 0.3
    only: int | None = None
    device: str = "cpu"


def train_motion(run: MotionRun, rank: int, log: Callable[[str], None]) -> None:
    """Go on from run.work / "motion.pt" for run.seconds; worker 0 saves every two minutes.

    Attention is computed step by step: torch's fused one takes four times as long over a clip's few frames.
    """
    network = build_motion_unet(load_unet(run.work / "unet.pt")).to(run.device, torch.bfloat16)
    freeze_pictures(network)
    optimizer = MasterOptimizer(network, run.learning_rate, AVERAGE_DECAY)
    file = run.work / "motion.pt"
    state = load_state(file, run.device)
    if state is not None:
        optimizer.restore(state["optimizer"])
    step = int(state["step"]) if state else 0
    torch.manual_seed(step * 64 + rank)
    draw = ClipDraw(run.work / "clips", step * 64 + rank, run.only)
    listener = Listener(run.work / "text.pt", step * 64 + rank, run.device, torch.bfloat16)
    scheduler = build_scheduler()
    saved, meetings = time.monotonic(), Meetings(run.seconds)
    losses: list[float] = []
    while meetings.go_on(optimizer.masters):
        with sdpa_kernel(SDPBackend.MATH):
            loss = clip_loss(network, scheduler, draw.batch(run.batch), listener)
            torch.autograd.backward(loss)
        losses.append(loss.item())
        optimizer.step(min(1.0, (step + 1) / WARM_UP_STEPS) * cooled(meetings.progress, run.cool))
        step += 1
        if rank == 0 and step % 10 == 0:
            mean, pace = sum(losses[-200:]) / len(losses[-200:]), len(losses) * run.batch / meetings.passed
            log(f"motion step {step}, loss {mean:.4f}, {pace:.2f} clips/s of worker 0")
        if rank == 0 and time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            save_state(file, {"optimizer": optimizer.state(), "step": step})
    if rank == 0:
        save_state(file, {"optimizer": optimizer.state(), "step": step})


def clip_loss(
    network: UNetMotionModel, scheduler: DDIMScheduler, batch: ClipBatch, listener: Listener
) -> Tensor:
    """The squared error on clips, each noised to one step; what moves counts more, and so does the face.

    All steps count alike: how a clip moves is settled in the noisiest ones, of which the weights of single pictures
    think little.
    """
    latents = batch.latents.to(network.device)
    steps = draw_steps(len(latents)).to(network.device)
    noise = clip_noise(latents.shape).to(network.device)
    mixed, target = stilled(scheduler, latents, noise, steps)
    states = listener.states(batch.pictures).to(network.dtype).repeat_interleave(latents.shape[1], 0)
    predicted = network(mixed.to(network.dtype).transpose(1, 2), steps, states).sample.transpose(1, 2)
    places = face_weights(batch.pictures).to(network.device) * moving_weights(latents)
    error = (predicted.float() - target).square().mean(1)
    loss: Tensor = (error * places).mean() / places.mean()
    return loss


def draw_steps(count: int) -> Tensor:
    """Steps of the noise schedule, most of them from MOVING_FROM on, where a clip's movement is settled."""
    noisy = torch.randint(MOVING_FROM, 1000, (count,))
    return torch.where(torch.rand(count) < NOISY_SHARE, noisy, torch.randint(0, MOVING_FROM, (count,)))


def stilled(scheduler: DDIMScheduler, latents: Tensor, noise: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """What sampling finds while a clip does not move yet, or less than it will, and the velocity that makes it move.

    Frames that begin with the same noise are still at first, and so is a portrait that is to be animated. From
    MOVING_FROM on, clips are therefore shown as their first frame, entirely or in part, and at the very end as noise.
    Velocity after Salimans & Ho 2022. latents, noise, and what comes back: (count, frames, channels, h, w).
    """
    count = len(latents)
    begun = torch.where(torch.rand(count) < STILL_SHARE, torch.zeros(count), torch.rand(count))
    begun = torch.where(steps < MOVING_FROM, torch.ones(count), begun)[:, None, None, None, None]
    still = latents[:, :1]
    share = scheduler.alphas_cumprod.to(latents.device)[steps][:, None, None, None, None]
    mixed = share.sqrt() * torch.lerp(still.expand_as(latents), latents, begun) + (1 - share).sqrt() * noise
    pure = (torch.rand(count) < 0.5) & (steps >= PURE_NOISE_FROM)
    mixed = torch.where(pure[:, None, None, None, None], noise, mixed)
    return mixed, (share.sqrt() * mixed - latents) / (1 - share).sqrt()


def clip_noise(shape: Sequence[int], generator: torch.Generator | None = None) -> Tensor:
    """Noise for clips (count, frames, ...): the same in every frame.

    Frames that begin alike show the same person after little training; what moves follows from their numbers alone.
    """
    count, frames, *rest = shape
    return torch.randn(count, 1, *rest, generator=generator).expand(count, frames, *rest)


def moving_weights(latents: Tensor) -> Tensor:
    """1 where nothing moves, up to 1 + MOVING_WEIGHT where the clip moves most; (count, 1, height, width).

    latents: (count, frames, channels, height, width).
    """
    spread = latents.std(1).mean(1, keepdim=True)
    return 1 + MOVING_WEIGHT * spread / spread.amax((2, 3), keepdim=True).clamp(min=1e-6)


def freeze_pictures(network: UNetMotionModel) -> None:
    """Let only the motion modules of network learn."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("motion_modules" in name)


def load_motion(work: Path) -> MotionAdapter:
    """The averaged motion module of work / "motion.pt", in fp32, for use."""
    state = load_state(work / "motion.pt")
    if state is None:
        raise FileNotFoundError(f"{work / 'motion.pt'} is missing: run the phase 'motion' first")
    network = build_motion_unet(build_unet())
    freeze_pictures(network)
    learnt = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    values = dict(zip(learnt, state["optimizer"]["average"]["shadow"], strict=True))
    adapter = build_motion_adapter()
    adapter.load_state_dict(values, strict=False)
    return adapter.eval().requires_grad_(False)

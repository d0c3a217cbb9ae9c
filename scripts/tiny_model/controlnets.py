"""Trains the two ControlNets on a denoiser that stays as it is (Zhang, Rao & Agrawala 2023)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor

from .checkpoint import load_state, save_state
from .diffusion import noised, weighted_loss
from .latents import LatentBatch, LatentDraw, face_weights
from .masters import MasterOptimizer
from .paintings import BLOCK, open_block, portrait_at
from .pose import pose_map
from .shapes import build_controlnet, build_scheduler, build_unet
from .unet import Listener, cooled, load_unet
from .workers import Meetings

Kind = Literal["openpose", "tile"]
SAVE_SECONDS = 120.0
WARM_UP_STEPS = 10
AVERAGE_DECAY = 0.98
LEARNING_RATE = 3e-3
SILENT = 0.5
"""Share of captions left out, so that the network reads its map (Zhang, Rao & Agrawala 2023, section 3.4)."""
TILE_SHRINK = (2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNetRun:
    """One stretch of training of one kind of ControlNet; work: folder of the states; seconds: how long."""

    kind: Kind
    work: Path
    seconds: float
    batch: int = 16
    learning_rate: float = LEARNING_RATE
    cool: float = 0.25
    device: str = "cpu"


def train_controlnet(run: ControlNetRun, rank: int, log: Callable[[str], None]) -> None:
    """Go on from run.work / "controlnet-<kind>.pt" for run.seconds; worker 0 saves every two minutes."""
    unet = load_unet(run.work / "unet.pt").to(run.device, torch.bfloat16)
    network = (
        build_controlnet(unet).to(run.device, torch.bfloat16).to(memory_format=torch.channels_last).train()
    )
    optimizer = MasterOptimizer(network, run.learning_rate, AVERAGE_DECAY)
    file = run.work / f"controlnet-{run.kind}.pt"
    state = load_state(file, run.device)
    if state is not None:
        optimizer.restore(state["optimizer"])
    step = int(state["step"]) if state else 0
    torch.manual_seed(step * 64 + rank)
    draw = LatentDraw(run.work / "paintings", seed=step * 64 + rank)
    listener = Listener(run.work / "text.pt", step * 64 + rank, run.device, torch.bfloat16, SILENT)
    random = np.random.default_rng([step, rank])
    saved, meetings = time.monotonic(), Meetings(run.seconds)
    losses: list[float] = []
    while meetings.go_on(optimizer.masters):
        batch = draw.batch(run.batch)
        maps = control_maps(run.kind, run.work / "paintings", batch, random).to(run.device)
        loss = controlled_loss(unet, network, batch, maps, listener)
        torch.autograd.backward(loss)
        optimizer.step(min(1.0, (step + 1) / WARM_UP_STEPS) * cooled(meetings.progress, run.cool))
        losses.append(loss.item())
        step += 1
        if rank == 0 and step % 25 == 0:
            log(f"controlnet {run.kind} step {step}, loss {sum(losses[-50:]) / len(losses[-50:]):.4f}")
        if rank == 0 and time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            save_state(file, {"optimizer": optimizer.state(), "step": step})
    if rank == 0:
        save_state(file, {"optimizer": optimizer.state(), "step": step})


def controlled_loss(
    unet: UNet2DConditionModel, network: ControlNetModel, batch: LatentBatch, maps: Tensor, listener: Listener
) -> Tensor:
    """The denoiser's loss on batch when network adds what it reads from maps."""
    scheduler = build_scheduler()
    mixed, steps, target = noised(scheduler, batch.latents.to(network.device))
    states = listener.states(batch).to(network.dtype)
    like = mixed.to(network.dtype).contiguous(memory_format=torch.channels_last)
    down, mid = network(like, steps, states, controlnet_cond=maps.to(network.dtype), return_dict=False)
    predicted = unet(
        like, steps, states, down_block_additional_residuals=down, mid_block_additional_residual=mid
    ).sample
    return weighted_loss(scheduler, predicted, target, steps, face_weights(batch).to(network.device))


def control_maps(kind: Kind, folder: Path, batch: LatentBatch, random: np.random.Generator) -> Tensor:
    """The control pictures of batch as floats (count, 3, height, width) in 0..1."""
    if kind == "openpose":
        maps = [pose_map(portrait_at(batch.size, number)) for number in batch.numbers]
    else:
        maps = [blurred_tile(_painted(folder, batch, number), random) for number in batch.numbers]
    return torch.from_numpy(np.stack(maps)).permute(0, 3, 1, 2).float() / 255


def blurred_tile(picture: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """picture shrunk by a random factor and enlarged again: what the tile ControlNet restores detail to."""
    height, width = picture.shape[:2]
    shrink = int(random.choice(TILE_SHRINK))
    small = cv2.resize(picture, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
    enlarged: NDArray[np.uint8] = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return enlarged


def load_controlnet(state_file: Path) -> ControlNetModel:
    """The averaged ControlNet in fp32, for use."""
    state = load_state(state_file)
    if state is None:
        raise FileNotFoundError(f"{state_file} is missing: run the phase of this ControlNet first")
    network = build_controlnet(build_unet())
    with torch.no_grad():
        for parameter, value in zip(
            network.parameters(), state["optimizer"]["average"]["shadow"], strict=True
        ):
            parameter.copy_(value)
    return network.eval().requires_grad_(False)


def _painted(folder: Path, batch: LatentBatch, number: int) -> NDArray[np.uint8]:
    file = folder / f"painted-{batch.size}-{number // BLOCK:03d}.npy"
    picture: NDArray[np.uint8] = open_block(file)[number % BLOCK]
    return picture

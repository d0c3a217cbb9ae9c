"""The checkpoint's networks, loaded by the engine's own reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from webui_engine.device import Device, choose_device
from webui_engine.diffusion.checkpoints import CheckpointInfo
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.model import Model
from webui_engine.errors import CheckpointBroken


def load_networks(checkpoint: Path) -> Model:
    """The networks of a diffusers folder or a single file, on the best device.

    Raises webui_engine.errors.EngineError; CheckpointBroken for those of SDXL, learning on which is kohya's, and for
    those made for inpainting. CUDA cards that know bfloat16 hold the networks in it: unlike half precision it needs no
    loss scaling.
    """
    info = CheckpointInfo(title=checkpoint.name, model_name=checkpoint.stem, filename=str(checkpoint))
    model = load_model(info, training_device(), [checkpoint.parent.parent])
    if model.is_sdxl:
        raise CheckpointBroken(
            checkpoint, "it is one of SDXL, on which people are learned by kohya's trainer"
        )
    inputs = int(model.unet.config.in_channels)
    if inputs != model.latent_channels:
        raise CheckpointBroken(checkpoint, f"it is made for inpainting: its UNet takes {inputs} channels")
    if model.device.is_cuda:
        model.unet.to(memory_format=torch.channels_last)
    return model


def training_device() -> Device:
    """The best device there is, in a precision that gradients survive."""
    device = choose_device()
    bfloat = device.is_cuda and torch.cuda.is_bf16_supported()
    return replace(device, dtype=torch.bfloat16 if bfloat else torch.float32)

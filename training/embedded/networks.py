"""The checkpoint's networks, loaded by the engine's own reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from webui_engine.device import Device, choose_device
from webui_engine.diffusion.checkpoints import CheckpointInfo
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.model import Model
from webui_engine.errors import CheckpointBroken

FAMILY = "StableDiffusionPipeline"


def load_networks(checkpoint: Path) -> Model:
    """The networks of a diffusers folder or a single file, on the best device.

    Raises webui_engine.errors.EngineError; CheckpointBroken for one of another family than Stable Diffusion 1.
    CUDA cards that know bfloat16 hold the networks in it: unlike half precision it needs no loss scaling.
    """
    info = CheckpointInfo(title=checkpoint.name, model_name=checkpoint.stem, filename=str(checkpoint))
    _require_family(checkpoint)
    model = load_model(info, training_device(), [checkpoint.parent.parent])
    inputs = int(model.unet.config.in_channels)
    if inputs != model.latent_channels:
        raise CheckpointBroken(checkpoint, f"it is made for inpainting: its UNet takes {inputs} channels")
    if model.device.is_cuda:
        model.unet.to(memory_format=torch.channels_last)
    return model


def _require_family(checkpoint: Path) -> None:
    index = checkpoint / "model_index.json"
    try:
        kind = json.loads(index.read_text(encoding="utf-8"))["_class_name"] if index.is_file() else FAMILY
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointBroken(checkpoint, f"its model_index.json cannot be read: {error!r}") from error
    if kind != FAMILY:
        raise CheckpointBroken(checkpoint, f"it is a {kind}, and this trainer learns on Stable Diffusion 1")


def training_device() -> Device:
    """The best device there is, in a precision that gradients survive."""
    device = choose_device()
    bfloat = device.is_cuda and torch.cuda.is_bf16_supported()
    return replace(device, dtype=torch.bfloat16 if bfloat else torch.float32)

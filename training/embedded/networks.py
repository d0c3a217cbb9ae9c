"""The checkpoint's networks, loaded by the engine's own reader, and the LoRA layers put into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.tuners.lora import LoraLayer

from training.embedded.plan import LearningPlan
from webui_engine.device import Device, choose_device
from webui_engine.diffusion.checkpoints import CheckpointInfo
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.model import Model
from webui_engine.errors import CheckpointBroken

ADAPTER = "identity"
_ATTENTION = re.compile(r"attentions\.\d+\.(proj_in|proj_out|transformer_blocks\.)")


def load_networks(checkpoint: Path) -> Model:
    """The networks of a diffusers folder or a single file, on the best device. Raises webui_engine.errors.EngineError.

    Those of SDXL are refused: learning on them is kohya's. CUDA cards that know bfloat16 hold the networks in it:
    unlike half precision it needs no loss scaling.
    """
    info = CheckpointInfo(title=checkpoint.name, model_name=checkpoint.stem, filename=str(checkpoint))
    model = load_model(info, training_device(), [checkpoint.parent.parent])
    if model.is_sdxl:
        raise CheckpointBroken(
            checkpoint, "it is one of SDXL, on which people are learned by kohya's trainer"
        )
    return model


def training_device() -> Device:
    """The best device there is, in a precision that gradients survive."""
    device = choose_device()
    bfloat = device.is_cuda and torch.cuda.is_bf16_supported()
    return replace(device, dtype=torch.bfloat16 if bfloat else torch.float32)


def add_adapter(unet: UNet2DConditionModel, plan: LearningPlan) -> list[torch.nn.Parameter]:
    """Put LoRA layers (Hu et al. 2021) into unet; the parameters to be learned, in single precision."""
    torch.manual_seed(plan.seed)
    targets = [name for name, module in unet.named_modules() if _is_target(name, module, plan)]
    unet.add_adapter(
        LoraConfig(r=plan.rank, lora_alpha=plan.rank, target_modules=targets, init_lora_weights="gaussian"),
        adapter_name=ADAPTER,
    )
    parameters = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.data = parameter.data.float()
    return parameters


def _is_target(name: str, module: torch.nn.Module, plan: LearningPlan) -> bool:
    if plan.layers == "all":
        return isinstance(module, torch.nn.Linear | torch.nn.Conv2d)
    return isinstance(module, torch.nn.Linear) and _ATTENTION.search(name) is not None


def adapter_layers(network: torch.nn.Module) -> Iterator[tuple[str, LoraLayer]]:
    """Each adapted layer with its name in the network."""
    for name, module in network.named_modules():
        if isinstance(module, LoraLayer):
            yield name, module

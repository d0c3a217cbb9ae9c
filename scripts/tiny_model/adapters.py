"""LoRA layers for the networks of the bundled model, and the file that every WebUI reads them from."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig
from torch import nn

from training.embedded.adapter_file import write_adapter
from training.embedded.methods.lora import ADAPTER, kohya_tensors

RANK = 24
PREFIXES = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}


def add_layers(network: nn.Module, seed: int = 0) -> list[nn.Parameter]:
    """Put LoRA layers (Hu et al. 2021) of rank RANK beside every matrix of network; the parameters to be learned.

    All else in network stays as it is.
    """
    torch.manual_seed(seed)
    network.requires_grad_(False)
    targets = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets, init_lora_weights="gaussian")
    network.add_adapter(config, adapter_name=ADAPTER)  # type: ignore[operator]
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


@torch.no_grad()
def put_weights(parameters: list[nn.Parameter], values: list[torch.Tensor]) -> None:
    """Copy values into parameters, in their own precision."""
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)


def write_lora(file: Path, unet: nn.Module, text_encoder: nn.Module, steps: int) -> str:
    """Write the LoRA layers of both networks in kohya's layout; returns the file's SHA-256.

    steps: how many the denoiser was trained for, kept in the metadata.
    """
    tensors = {
        **kohya_tensors(unet, PREFIXES["unet"]),
        **kohya_tensors(text_encoder, PREFIXES["text_encoder"]),
    }
    about = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(RANK),
        "ss_network_alpha": str(float(RANK)),
        "ss_base_model_version": "sd_v1",
        "ss_sd_model_name": "sajin-tiny",
        "ss_output_name": file.stem,
        "ss_steps": str(steps),
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.title": file.stem,
        "modelspec.prediction_type": "v",
        "modelspec.license": "same as Sajin",
    }
    return write_adapter(file, tensors, about)

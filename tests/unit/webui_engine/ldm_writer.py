"""Writes a diffusers pipeline as a single file in the key layout of the original Stable Diffusion 1 checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import ControlNetModel, StableDiffusionPipeline
from safetensors.torch import save_file

from training.embedded.ldm import ldm_state, unet_key


def ldm_control_state(network: ControlNetModel, prefix: str) -> dict[str, torch.Tensor]:
    """Every tensor of a ControlNet under its name in an original file; prefix: "control_model." or ""."""
    layers = network.config.layers_per_block
    return {
        f"{prefix}{_control_key(key, layers)}": value.contiguous().clone()
        for key, value in network.state_dict().items()
    }


def write_ldm_file(pipeline: StableDiffusionPipeline, path: Path) -> Path:
    """A ``.safetensors``, or else a pickled ``.ckpt`` with A1111's outer ``state_dict``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(ldm_state(pipeline), path)
    else:
        torch.save({"state_dict": ldm_state(pipeline)}, path)
    return path


def _control_key(key: str, layers: int) -> str:
    part, _, rest = key.partition(".")
    if part == "controlnet_down_blocks":
        index, name = rest.split(".")
        return f"zero_convs.{index}.0.{name}"
    if part == "controlnet_mid_block":
        return f"middle_block_out.0.{rest}"
    if part == "controlnet_cond_embedding":
        *place, name = rest.split(".")
        step = {"conv_in": 0, "conv_out": 14}.get(place[0])
        return f"input_hint_block.{2 * int(place[-1]) + 2 if step is None else step}.{name}"
    return unet_key(key, layers)

"""Stable Diffusion 1 networks in the key layout of the original checkpoints, which every WebUI reads."""

from __future__ import annotations

import re

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}


def ldm_state(pipeline: StableDiffusionPipeline) -> dict[str, torch.Tensor]:
    """Every tensor of the pipeline under its name in an original checkpoint."""
    parts = {
        "model.diffusion_model.": unet_state(pipeline.unet),
        "first_stage_model.": autoencoder_state(pipeline.vae),
        "cond_stage_model.transformer.": text_state(pipeline.text_encoder),
    }
    return {
        f"{place}{key}": value.detach().contiguous()
        for place, state in parts.items()
        for key, value in state.items()
    }


def unet_state(unet: UNet2DConditionModel) -> dict[str, torch.Tensor]:
    """A UNet's tensors under their original names."""
    state, layers = unet.state_dict(), unet.config.layers_per_block
    attending = frozenset(key.split(".")[1] for key in state if re.match(r"up_blocks\.\d+\.attentions", key))
    return {unet_key(key, layers, attending): value for key, value in state.items()}


def autoencoder_state(autoencoder: AutoencoderKL) -> dict[str, torch.Tensor]:
    """An autoencoder's tensors under their original names."""
    levels = len(autoencoder.config.block_out_channels)
    return {_vae_key(key, levels): _vae_value(key, value) for key, value in autoencoder.state_dict().items()}


def text_state(encoder: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A CLIP text encoder's tensors under their original names."""
    return {
        f"text_model.{key.removeprefix('text_model.')}": value for key, value in encoder.state_dict().items()
    }


def unet_key(key: str, layers: int, attending: frozenset[str] = frozenset()) -> str:
    """The name in an original checkpoint of a UNet's tensor.

    layers: per block. attending: numbers of the upward blocks that have attention.
    """
    for ours, theirs in UNET.items():
        if key.startswith(f"{ours}."):
            return _inside_resnet(key.replace(ours, theirs, 1))
    match = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", key)
    if match is None:
        raise KeyError(key)
    side, level, part, index, rest = match.groups()
    if part == "downsamplers":
        return f"input_blocks.{(layers + 1) * (int(level) + 1)}.0.{rest.replace('conv.', 'op.')}"
    if part == "upsamplers":
        place = (layers + 1) * int(level) + layers
        return f"output_blocks.{place}.{2 if level in attending else 1}.{rest}"
    block = f"input_blocks.{(layers + 1) * int(level) + int(index) + 1}" if side == "down" else None
    block = block or f"output_blocks.{(layers + 1) * int(level) + int(index)}"
    return _inside_resnet(f"{block}.{0 if part == 'resnets' else 1}.{rest}")


def _inside_resnet(key: str) -> str:
    for ours, theirs in RESNET.items():
        key = re.sub(rf"^((?:in|out)put_blocks\.\d+\.0|middle_block\.[02])\.{ours}\.", rf"\1.{theirs}.", key)
    return key


def _vae_key(key: str, levels: int) -> str:
    key = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", key)
    key = re.sub(r"up_blocks\.(\d+)\.resnets\.", lambda m: f"up.{levels - 1 - int(m[1])}.block.", key)
    key = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", key)
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    if "mid_block.attentions" in key:
        key = key.replace("mid_block.attentions.0", "mid.attn_1")
        for ours, theirs in ATTENTION.items():
            key = key.replace(f".{ours}.", f".{theirs}.")
    return key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")


def _vae_value(key: str, value: torch.Tensor) -> torch.Tensor:
    """The attention's linear layers were 1x1 convolutions."""
    is_linear = "attentions" in key and "group_norm" not in key and key.endswith("weight")
    return value[..., None, None] if is_linear else value

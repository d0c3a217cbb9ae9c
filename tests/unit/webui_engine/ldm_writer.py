"""Writes a diffusers pipeline as one file in the key layout of the original Stable Diffusion 1 or XL checkpoints."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from diffusers import ControlNetModel, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

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


OPEN_CLIP = {
    "embeddings.token_embedding": "token_embedding",
    "final_layer_norm": "ln_final",
    "encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def ldm_state(pipeline: StableDiffusionPipeline | StableDiffusionXLPipeline) -> dict[str, torch.Tensor]:
    """Every tensor of the pipeline under its name in an original checkpoint."""
    is_xl = isinstance(pipeline, StableDiffusionXLPipeline)
    layers = pipeline.unet.config.layers_per_block
    levels = len(pipeline.vae.config.block_out_channels)
    text = {
        f"text_model.{key.removeprefix('text_model.')}": v
        for key, v in pipeline.text_encoder.state_dict().items()
    }
    state = {
        f"model.diffusion_model.{_unet_key(k, layers, first_up_attends=is_xl)}": v
        for k, v in pipeline.unet.state_dict().items()
    }
    state |= {
        f"first_stage_model.{_vae_key(k, levels)}": _vae_value(k, v)
        for k, v in pipeline.vae.state_dict().items()
    }
    place = "conditioner.embedders.0" if is_xl else "cond_stage_model"
    state |= {f"{place}.transformer.{key}": value for key, value in text.items()}
    if is_xl:
        second = _open_clip_state(pipeline.text_encoder_2.state_dict())
        state |= {f"conditioner.embedders.1.model.{key}": value for key, value in second.items()}
    return {key: value.contiguous().clone() for key, value in state.items()}


def _open_clip_state(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A text encoder's tensors as OpenCLIP names them: queries, keys and values in one, the projection turned."""
    plain = {key.removeprefix("text_model."): value for key, value in state.items()}
    made = {
        "positional_embedding": plain.pop("embeddings.position_embedding.weight"),
        "text_projection": plain.pop("text_projection.weight").T,
    }
    plain.pop("embeddings.position_ids", None)
    for key in [key for key in plain if ".self_attn.q_proj." in key]:
        parts = [plain.pop(key.replace("q_proj", f"{part}_proj")) for part in "qkv"]
        made[_renamed(key).replace("self_attn.q_proj.", "attn.in_proj_")] = torch.cat(parts)
    return made | {_renamed(key): value for key, value in plain.items()}


def _renamed(key: str) -> str:
    for ours, theirs in OPEN_CLIP.items():
        key = key.replace(ours, theirs)
    return key


def ldm_control_state(network: ControlNetModel, prefix: str) -> dict[str, torch.Tensor]:
    """Every tensor of a ControlNet under its name in an original file; prefix: "control_model." or ""."""
    layers = network.config.layers_per_block
    return {
        f"{prefix}{_control_key(key, layers)}": value.contiguous().clone()
        for key, value in network.state_dict().items()
    }


def write_ldm_file(pipeline: StableDiffusionPipeline | StableDiffusionXLPipeline, path: Path) -> Path:
    """A ``.safetensors``, or else a pickled ``.ckpt`` with A1111's outer ``state_dict``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(ldm_state(pipeline), path)
    else:
        torch.save({"state_dict": ldm_state(pipeline)}, path)
    return path


def _unet_key(key: str, layers: int, *, first_up_attends: bool = False) -> str:
    for ours, theirs in UNET.items():
        if key.startswith(f"{ours}."):
            return _inside_resnet(key.replace(ours, theirs, 1))
    match = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", key)
    assert match, key
    side, level, part, index, rest = match.groups()
    if part == "downsamplers":
        return f"input_blocks.{(layers + 1) * (int(level) + 1)}.0.{rest.replace('conv.', 'op.')}"
    if part == "upsamplers":
        place = (layers + 1) * int(level) + layers
        return f"output_blocks.{place}.{1 if level == '0' and not first_up_attends else 2}.{rest}"
    block = f"input_blocks.{(layers + 1) * int(level) + int(index) + 1}" if side == "down" else None
    block = block or f"output_blocks.{(layers + 1) * int(level) + int(index)}"
    return _inside_resnet(f"{block}.{0 if part == 'resnets' else 1}.{rest}")


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
    return _unet_key(key, layers)


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

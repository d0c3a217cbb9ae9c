"""Writes a diffusers pipeline as one file in the key layout of the original Stable Diffusion 1 or XL checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import ControlNetModel, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

from training.embedded import ldm
from training.embedded.ldm import unet_key

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
    if not isinstance(pipeline, StableDiffusionXLPipeline):
        return {key: value.clone() for key, value in ldm.ldm_state(pipeline).items()}
    parts = {
        "model.diffusion_model.": ldm.unet_state(pipeline.unet),
        "first_stage_model.": ldm.autoencoder_state(pipeline.vae),
        "conditioner.embedders.0.transformer.": ldm.text_state(pipeline.text_encoder),
        "conditioner.embedders.1.model.": _open_clip_state(pipeline.text_encoder_2.state_dict()),
    }
    return {
        f"{place}{key}": value.contiguous().clone()
        for place, state in parts.items()
        for key, value in state.items()
    }


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

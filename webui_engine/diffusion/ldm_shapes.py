"""What the shapes of a checkpoint's tensors, in ldm's key layout, tell of its networks, in diffusers' words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT = "cond_stage_model.transformer.text_model."
TEXT_XL, TEXT_XL_2 = "conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model."
HEAD_WIDTH = 64
SD1_VAE: Mapping[str, Any] = {"scaling_factor": 0.18215, "sample_size": 512}
LABELS = f"{UNET}label_emb.0.0.weight"


def is_sdxl(shapes: Shapes) -> bool:
    """Whether they are those of a Stable Diffusion XL checkpoint (the base; the refiner has one text encoder)."""
    return LABELS in shapes and f"{TEXT_XL_2}token_embedding.weight" in shapes


def unet_config(shapes: Shapes) -> dict[str, Any] | None:
    """The configuration of the denoiser, or None if there is none of Stable Diffusion 1's or XL's kind.

    The number of attention heads does not show in the shapes: 8, as in Stable Diffusion 1; in XL each is 64 wide.
    """
    entry, exit_ = shapes.get(f"{UNET}input_blocks.0.0.weight"), shapes.get(f"{UNET}out.2.weight")
    if entry is None or exit_ is None:
        return None
    levels = _levels(shapes)
    down = ["CrossAttnDownBlock2D" if level.attends else "DownBlock2D" for level in levels]
    up = ["CrossAttnUpBlock2D" if level.attends else "UpBlock2D" for level in reversed(levels)]
    config = {
        "_class_name": "UNet2DConditionModel",
        "in_channels": entry[1],
        "out_channels": exit_[0],
        "block_out_channels": [level.channels for level in levels],
        "down_block_types": down,
        "up_block_types": up,
        "layers_per_block": levels[0].layers,
        "cross_attention_dim": _first(shapes, r"attn2\.to_k\.weight$", UNET)[1],
        "attention_head_dim": 8,
        "sample_size": 64,
    }
    return config | _unet_changes_xl(shapes, levels) if is_sdxl(shapes) else config


def _unet_changes_xl(shapes: Shapes, levels: list[_Level]) -> dict[str, Any]:
    return {
        "attention_head_dim": [max(1, level.channels // HEAD_WIDTH) for level in levels],
        "transformer_layers_per_block": [max(1, level.transformers) for level in levels],
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": shapes[LABELS][1],
        "sample_size": 128,
    }


class _Level:
    """One resolution of the denoiser's way down."""

    def __init__(self) -> None:
        self.channels, self.layers, self.attends, self.transformers = 0, 0, False, 0


def _levels(shapes: Shapes) -> list[_Level]:
    levels = [_Level()]
    for index in range(1, _count(shapes, rf"{re.escape(UNET)}input_blocks\.(\d+)\.")):
        block = f"{UNET}input_blocks.{index}"
        convolution = shapes.get(f"{block}.0.in_layers.2.weight")
        if convolution is None:
            levels.append(_Level())
            continue
        level = levels[-1]
        level.channels, level.layers = convolution[0], level.layers + 1
        level.attends = level.attends or f"{block}.1.norm.weight" in shapes
        inner = _count(shapes, rf"{re.escape(block)}\.1\.transformer_blocks\.(\d+)\.")
        level.transformers = max(level.transformers, inner)
    return levels


def autoencoder_config(shapes: Shapes) -> dict[str, Any]:
    """The configuration of the autoencoder."""
    depth = _count(shapes, rf"{re.escape(VAE)}encoder\.down\.(\d+)\.")
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": [
            shapes[f"{VAE}encoder.down.{i}.block.0.conv1.weight"][0] for i in range(depth)
        ],
        "down_block_types": ["DownEncoderBlock2D"] * depth,
        "up_block_types": ["UpDecoderBlock2D"] * depth,
        "layers_per_block": _count(shapes, rf"{re.escape(VAE)}encoder\.down\.0\.block\.(\d+)\."),
        "latent_channels": shapes[f"{VAE}post_quant_conv.weight"][0],
        "mid_block_add_attention": f"{VAE}encoder.mid.attn_1.q.weight" in shapes,
        **({"scaling_factor": 0.13025, "sample_size": 1024} if is_sdxl(shapes) else SD1_VAE),
    }


def text_config(shapes: Shapes, prefix: str = TEXT) -> dict[str, Any]:
    """The configuration of the text encoder below prefix in transformers' keys."""
    vocabulary, width = shapes[f"{prefix}embeddings.token_embedding.weight"]
    return {
        **_text_common(vocabulary, width),
        "architectures": ["CLIPTextModel"],
        "intermediate_size": shapes[f"{prefix}encoder.layers.0.mlp.fc1.weight"][0],
        "max_position_embeddings": shapes[f"{prefix}embeddings.position_embedding.weight"][0],
        "num_hidden_layers": _count(shapes, rf"{re.escape(prefix)}encoder\.layers\.(\d+)\."),
        "projection_dim": width,
        "hidden_act": "quick_gelu",
        "pad_token_id": vocabulary - 1,
    }


def second_text_config(shapes: Shapes) -> dict[str, Any]:
    """The configuration of SDXL's second text encoder, which is in OpenCLIP's keys."""
    vocabulary, width = shapes[f"{TEXT_XL_2}token_embedding.weight"]
    return {
        **_text_common(vocabulary, width),
        "architectures": ["CLIPTextModelWithProjection"],
        "intermediate_size": shapes[f"{TEXT_XL_2}transformer.resblocks.0.mlp.c_fc.weight"][0],
        "max_position_embeddings": shapes[f"{TEXT_XL_2}positional_embedding"][0],
        "num_hidden_layers": _count(shapes, rf"{re.escape(TEXT_XL_2)}transformer\.resblocks\.(\d+)\."),
        "projection_dim": shapes[f"{TEXT_XL_2}text_projection"][1],
        "hidden_act": "gelu",
        "pad_token_id": 0,
    }


def _text_common(vocabulary: int, width: int) -> dict[str, Any]:
    """What all of CLIP's text encoders share; heads are 64 wide."""
    return {
        "model_type": "clip_text_model",
        "vocab_size": vocabulary,
        "hidden_size": width,
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
    }


def _first(shapes: Shapes, ending: str, prefix: str) -> tuple[int, ...]:
    return next(shape for key, shape in shapes.items() if key.startswith(prefix) and re.search(ending, key))


def _count(keys: Iterable[str], pattern: str) -> int:
    """One more than the largest number that pattern's group finds, 0 if it finds none."""
    found = (re.match(pattern, key) for key in keys)
    return max((int(match[1]) + 1 for match in found if match), default=0)

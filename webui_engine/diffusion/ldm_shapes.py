"""What the shapes of a checkpoint's tensors, in ldm's key layout, tell of its networks, in diffusers' words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT = "cond_stage_model.transformer.text_model."


def unet_config(shapes: Shapes) -> dict[str, Any] | None:
    """The configuration of the denoiser, or None if there is none of Stable Diffusion 1's kind.

    The number of attention heads does not show in the shapes: 8, as in Stable Diffusion 1.
    """
    entry, exit_ = shapes.get(f"{UNET}input_blocks.0.0.weight"), shapes.get(f"{UNET}out.2.weight")
    if entry is None or exit_ is None:
        return None
    levels = _levels(shapes)
    down = ["CrossAttnDownBlock2D" if level.attends else "DownBlock2D" for level in levels]
    up = ["CrossAttnUpBlock2D" if level.attends else "UpBlock2D" for level in reversed(levels)]
    return {
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


class _Level:
    """One resolution of the denoiser's way down."""

    def __init__(self) -> None:
        self.channels, self.layers, self.attends = 0, 0, False


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
        "scaling_factor": 0.18215,
        "sample_size": 512,
    }


def text_config(shapes: Shapes) -> dict[str, Any]:
    """The configuration of the text encoder; heads are 64 wide, as in CLIP."""
    vocabulary, width = shapes[f"{TEXT}embeddings.token_embedding.weight"]
    return {
        "architectures": ["CLIPTextModel"],
        "model_type": "clip_text_model",
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes[f"{TEXT}encoder.layers.0.mlp.fc1.weight"][0],
        "max_position_embeddings": shapes[f"{TEXT}embeddings.position_embedding.weight"][0],
        "num_hidden_layers": _count(shapes, rf"{re.escape(TEXT)}encoder\.layers\.(\d+)\."),
        "num_attention_heads": max(1, width // 64),
        "projection_dim": width,
        "hidden_act": "quick_gelu",
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": vocabulary - 1,
    }


def _first(shapes: Shapes, ending: str, prefix: str) -> tuple[int, ...]:
    return next(shape for key, shape in shapes.items() if key.startswith(prefix) and re.search(ending, key))


def _count(keys: Iterable[str], pattern: str) -> int:
    """One more than the largest number that pattern's group finds, 0 if it finds none."""
    found = (re.match(pattern, key) for key in keys)
    return max((int(match[1]) + 1 for match in found if match), default=0)

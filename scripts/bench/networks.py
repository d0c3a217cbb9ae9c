"""Checkpoints for measuring: random weights in the shape of Stable Diffusion 1.5, or very small, in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from studio.settings import BUNDLED_CHECKPOINT

Shape = Literal["tiny", "bundled", "sd15"]

_UNETS: Mapping[str, Mapping[str, Any]] = {
    "sd15": {
        "sample_size": 64,
        "block_out_channels": (320, 640, 1280, 1280),
        "layers_per_block": 2,
        "cross_attention_dim": 768,
        "attention_head_dim": 8,
    },
    "tiny": {
        "sample_size": 8,
        "block_out_channels": (32, 64),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": 64,
        "attention_head_dim": 8,
    },
}
_AUTOENCODERS: Mapping[str, Mapping[str, Any]] = {
    "sd15": {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "sample_size": 512},
    "tiny": {"block_out_channels": (32, 32, 32, 32), "layers_per_block": 1, "sample_size": 64},
}
_TEXTS: Mapping[str, Mapping[str, Any]] = {
    "sd15": {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
    },
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 1},
}


def checkpoint_of(shape: Shape, folder: Path) -> Path:
    """A checkpoint in diffusers' layout; of "bundled" the one that comes with Sajin, else random weights in folder."""
    if shape == "bundled":
        return BUNDLED_CHECKPOINT
    place = folder / "Stable-diffusion" / shape
    dtype = torch.float16 if shape == "sd15" else torch.float32
    random_pipeline(shape).to(dtype=dtype).save_pretrained(place)
    return place


def random_pipeline(shape: Shape) -> StableDiffusionPipeline:
    """Networks of a shape with the same random weights each time, and the bundled vocabulary."""
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(BUNDLED_CHECKPOINT / "tokenizer", local_files_only=True)
    ends = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    return StableDiffusionPipeline(
        unet=UNet2DConditionModel(in_channels=4, **_UNETS[shape]),
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            **_AUTOENCODERS[shape],
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408 if shape == "sd15" else len(tokenizer),
                hidden_act="quick_gelu",
                projection_dim=_TEXTS[shape]["hidden_size"],
                **ends,
                **_TEXTS[shape],
            )
        ),
        tokenizer=tokenizer,
        scheduler=DDIMScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            steps_offset=1,
            clip_sample=False,
            set_alpha_to_one=False,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )

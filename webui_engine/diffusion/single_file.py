"""Stable Diffusion 1.5 and XL checkpoints in one file, read by diffusers by a configuration made from their shapes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors import safe_open

from webui_engine.diffusion.ldm_shapes import (
    TEXT_XL,
    Shapes,
    autoencoder_config,
    is_sdxl,
    second_text_config,
    text_config,
    unet_config,
)
from webui_engine.diffusion.model import Pipeline
from webui_engine.diffusion.sidecar import read_sidecar
from webui_engine.diffusion.vocabulary import find_tokenizer
from webui_engine.errors import CheckpointBroken

SCHEDULER: Mapping[str, Any] = {
    "_class_name": "DDIMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
"""The noise schedule of Stable Diffusion 1 (Rombach et al. 2022)."""

_PARTS = {
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "safety_checker": [None, None],
    "feature_extractor": [None, None],
}


_PARTS_XL = {
    **{part: kind for part, kind in _PARTS.items() if part != "safety_checker"},
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "image_encoder": [None, None],
    "force_zeros_for_empty_prompt": True,
}
_PAD_2 = "!"
"""SDXL's second tokenizer fills up with token 0."""


def load_single_file(path: Path, dtype: torch.dtype, models_dirs: Sequence[Path]) -> Pipeline:
    """The pipeline of a checkpoint in ldm's key layout.

    What shapes do not tell is Stable Diffusion 1.5's or XL's, unless a ``.json`` or ``.yaml`` of the same stem says
    otherwise. Raises MissingVocabulary when no tokenizer is at hand, CheckpointBroken for another kind of file.
    """
    configs = describe(path)
    tokenizer = find_tokenizer(path, models_dirs)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_configs(root, configs)
        tokenizer.save_pretrained(root / "tokenizer")
        told = {"config": str(root), "dtype": dtype, "local_files_only": True}
        if "text_encoder_2" not in configs:
            plain: StableDiffusionPipeline = StableDiffusionPipeline.from_single_file(
                str(path), safety_checker=None, **told
            )
            return plain
        tokenizer.pad_token = _PAD_2
        tokenizer.save_pretrained(root / "tokenizer_2")
        large: StableDiffusionXLPipeline = StableDiffusionXLPipeline.from_single_file(
            str(path), add_watermarker=False, **told
        )
    return large


def load_single_autoencoder(path: Path, config: Mapping[str, Any], dtype: torch.dtype) -> AutoencoderKL:
    """An autoencoder file (ldm's or diffusers' keys) of the shape that config says."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_json(root / "config.json", {**config, "_class_name": "AutoencoderKL"})
        autoencoder: AutoencoderKL = AutoencoderKL.from_single_file(
            str(path), config=str(root), dtype=dtype, local_files_only=True
        )
    return autoencoder


def describe(path: Path) -> dict[str, dict[str, Any]]:
    """The configuration of each network of the file in diffusers' words."""
    shapes = _shapes(path)
    unet = unet_config(shapes)
    if unet is None:
        raise CheckpointBroken(
            path, "it is not a Stable Diffusion 1 or XL checkpoint in the usual key layout"
        )
    inferred = {
        "unet": unet,
        "vae": autoencoder_config(shapes),
        "scheduler": dict(SCHEDULER),
        **_text(shapes),
    }
    told = read_sidecar(path)
    return {part: {**config, **told.get(part, {})} for part, config in inferred.items()}


def _text(shapes: Shapes) -> dict[str, dict[str, Any]]:
    if not is_sdxl(shapes):
        return {"text_encoder": text_config(shapes)}
    return {"text_encoder": text_config(shapes, TEXT_XL), "text_encoder_2": second_text_config(shapes)}


def _shapes(path: Path) -> Shapes:
    if path.suffix == ".safetensors":
        with safe_open(str(path), framework="pt") as tensors:
            return {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}  # noqa: SIM118
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    state = state.get("state_dict", state)
    return {key: tuple(value.shape) for key, value in state.items() if isinstance(value, torch.Tensor)}


def _write_configs(root: Path, configs: Mapping[str, Mapping[str, Any]]) -> None:
    kind, parts = (
        ("StableDiffusionXLPipeline", _PARTS_XL)
        if "text_encoder_2" in configs
        else ("StableDiffusionPipeline", _PARTS)
    )
    _write_json(root / "model_index.json", {"_class_name": kind, **parts})
    for part, config in configs.items():
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        _write_json(root / part / name, config)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")

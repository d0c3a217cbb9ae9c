"""Stable Diffusion 1.5 checkpoints in one file, read by diffusers with a configuration made from their shapes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from safetensors import safe_open

from webui_engine.diffusion.ldm_shapes import Shapes, autoencoder_config, text_config, unet_config
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


def load_single_file(path: Path, dtype: torch.dtype, models_dirs: Sequence[Path]) -> StableDiffusionPipeline:
    """The pipeline of a checkpoint in ldm's key layout.

    What shapes do not tell is Stable Diffusion 1.5's, unless a ``.json`` or ``.yaml`` of the same stem says otherwise.
    Raises MissingVocabulary when no tokenizer is at hand, CheckpointBroken for another kind of file.
    """
    configs = describe(path)
    tokenizer = find_tokenizer(path, models_dirs)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_configs(root, configs)
        tokenizer.save_pretrained(root / "tokenizer")
        pipeline: StableDiffusionPipeline = StableDiffusionPipeline.from_single_file(
            str(path), config=str(root), dtype=dtype, safety_checker=None, local_files_only=True
        )
    return pipeline


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
        raise CheckpointBroken(path, "it is not a Stable Diffusion 1 checkpoint in the usual key layout")
    inferred = {
        "unet": unet,
        "vae": autoencoder_config(shapes),
        "text_encoder": text_config(shapes),
        "scheduler": dict(SCHEDULER),
    }
    told = read_sidecar(path)
    return {part: {**config, **told.get(part, {})} for part, config in inferred.items()}


def _shapes(path: Path) -> Shapes:
    if path.suffix == ".safetensors":
        with safe_open(str(path), framework="pt") as tensors:
            return {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}  # noqa: SIM118
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    state = state.get("state_dict", state)
    return {key: tuple(value.shape) for key, value in state.items() if isinstance(value, torch.Tensor)}


def _write_configs(root: Path, configs: Mapping[str, Mapping[str, Any]]) -> None:
    _write_json(root / "model_index.json", {"_class_name": "StableDiffusionPipeline", **_PARTS})
    for part, config in configs.items():
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        _write_json(root / part / name, config)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")

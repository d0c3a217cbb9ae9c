"""Reading checkpoints and autoencoders from disk, never from the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from webui_engine.device import Device
from webui_engine.diffusion.checkpoints import CheckpointInfo, is_diffusers_folder
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.single_file import load_single_file
from webui_engine.errors import UNREADABLE, CheckpointBroken

_SMALLEST_VOCABULARY = 256
"""transformers makes an empty tokenizer out of missing files; even the plainest knows every byte."""


def load_model(info: CheckpointInfo, device: Device, models_dirs: Sequence[Path]) -> Model:
    """The checkpoint's networks on the device; raises CheckpointBroken. models_dirs may hold a tokenizer."""
    _be_quiet()
    try:
        pipeline = _read(info, device.dtype, models_dirs)
        _require_networks(info.path, pipeline)
    except CheckpointBroken:
        raise
    except UNREADABLE as error:
        raise CheckpointBroken(info.path, error) from error
    pipeline.to(device.place)
    for network in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        network.requires_grad_(False).eval()
    return Model(info, pipeline, device)


def _read(info: CheckpointInfo, dtype: torch.dtype, models_dirs: Sequence[Path]) -> StableDiffusionPipeline:
    if is_diffusers_folder(info.path):
        pipeline: StableDiffusionPipeline = StableDiffusionPipeline.from_pretrained(
            info.path, dtype=dtype, safety_checker=None, local_files_only=True, low_cpu_mem_usage=False
        )
        return pipeline
    return load_single_file(info.path, dtype, models_dirs)


def _require_networks(path: Path, pipeline: StableDiffusionPipeline) -> None:
    missing = [
        name
        for name in ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
        if getattr(pipeline, name) is None
    ]
    if missing:
        raise CheckpointBroken(path, f"it has no {', '.join(missing)}")
    if len(pipeline.tokenizer) < _SMALLEST_VOCABULARY:
        raise CheckpointBroken(path, "its tokenizer's files are missing, so that it knows no words")
    words, vectors = len(pipeline.tokenizer), int(pipeline.text_encoder.config.vocab_size)
    if words > vectors:
        raise CheckpointBroken(
            path, f"the tokenizer found for it has {words} words, its text encoder {vectors}"
        )


def load_autoencoder(path: Path, like: Model) -> AutoencoderKL:
    """The autoencoder at path (diffusers folder or single file), of the same shape as that of the model."""
    dtype = like.device.dtype
    try:
        vae = _read_autoencoder(path, like, dtype)
    except UNREADABLE as error:
        raise CheckpointBroken(path, error) from error
    return vae.to(like.device.place).requires_grad_(False).eval()


def _read_autoencoder(path: Path, like: Model, dtype: torch.dtype) -> AutoencoderKL:
    if path.is_dir():
        folder: AutoencoderKL = AutoencoderKL.from_pretrained(path, dtype=dtype, local_files_only=True)
        return folder
    from webui_engine.diffusion.single_file import load_single_autoencoder

    return load_single_autoencoder(path, dict(like.vae.config), dtype)


def _be_quiet() -> None:
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()

"""Reading checkpoints and autoencoders from disk, never from the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTokenizer
from transformers.utils import logging as transformers_logging

from webui_engine.device import Device
from webui_engine.diffusion.checkpoints import CheckpointInfo, is_diffusers_folder
from webui_engine.diffusion.model import Model, Pipeline, TextEncoder
from webui_engine.diffusion.single_file import load_single_file
from webui_engine.errors import UNREADABLE, CheckpointBroken

SDXL = "StableDiffusionXLPipeline"
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
    model = Model(info, pipeline, device)
    for network in (pipeline.unet, pipeline.vae, *(encoder for _, encoder in model.text_parts)):
        network.requires_grad_(False).eval()
    return model


def _read(info: CheckpointInfo, dtype: torch.dtype, models_dirs: Sequence[Path]) -> Pipeline:
    if not is_diffusers_folder(info.path):
        return load_single_file(info.path, dtype, models_dirs)
    told = {"dtype": dtype, "local_files_only": True, "low_cpu_mem_usage": False}
    if json.loads((info.path / "model_index.json").read_text("utf-8")).get("_class_name") == SDXL:
        large: StableDiffusionXLPipeline = StableDiffusionXLPipeline.from_pretrained(
            info.path, add_watermarker=False, **told
        )
        return large
    plain: StableDiffusionPipeline = StableDiffusionPipeline.from_pretrained(
        info.path, safety_checker=None, **told
    )
    return plain


def _require_networks(path: Path, pipeline: Pipeline) -> None:
    second = ("text_encoder_2", "tokenizer_2") if isinstance(pipeline, StableDiffusionXLPipeline) else ()
    needed = ("unet", "vae", "text_encoder", "tokenizer", *second, "scheduler")
    missing = [name for name in needed if getattr(pipeline, name) is None]
    if missing:
        raise CheckpointBroken(path, f"it has no {', '.join(missing)}")
    _require_words(path, pipeline.tokenizer, pipeline.text_encoder)
    if second:
        _require_words(path, pipeline.tokenizer_2, pipeline.text_encoder_2)


def _require_words(path: Path, tokenizer: CLIPTokenizer, encoder: TextEncoder) -> None:
    if len(tokenizer) < _SMALLEST_VOCABULARY:
        raise CheckpointBroken(path, "its tokenizer's files are missing, so that it knows no words")
    words, vectors = len(tokenizer), int(encoder.config.vocab_size)
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

"""Writes the networks as the folders that the engine loads: fp16 safetensors in diffusers' layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    MotionAdapter,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTokenizer

from .shapes import NATIVE_SIZE, build_scheduler

CHECKPOINT = Path("Stable-diffusion/sajin-tiny")
CONTROLNETS = Path("ControlNet")
MOTION = Path("animatediff/sajin-tiny-motion")
ABOUT: dict[str, object] = {
    "name": "sajin-tiny",
    "demonstration": True,
    "native_size": NATIVE_SIZE,
    "licence": "same as Sajin",
    "notes": (
        "A small demonstration model trained from scratch on painted portraits. It shows how Sajin works; "
        "it cannot draw photographs or a true likeness. Connect a Stable Diffusion WebUI for that."
    ),
}

ABOUT_MOTION: dict[str, object] = {
    "name": "sajin-tiny-motion",
    "demonstration": True,
    "checkpoint": "sajin-tiny",
    "trained_with": {
        "beta_schedule": build_scheduler().config.beta_schedule,
        "same_noise": True,
    },
    "licence": "same as Sajin",
    "notes": (
        "Lets portraits by sajin-tiny turn their head from side to side over 16 frames. Trained briefly on painted "
        "portraits that move; faces smear."
    ),
}


def package_checkpoint(
    models: Path,
    *,
    tokenizer: CLIPTokenizer,
    text_encoder: CLIPTextModel,
    autoencoder: AutoencoderKL,
    unet: UNet2DConditionModel,
) -> Path:
    """Write the pipeline to models/Stable-diffusion/sajin-tiny and return that folder.

    The networks are changed to half precision. A reader of the folder sees each file old or new, never half.
    """
    pipeline = StableDiffusionPipeline(
        vae=autoencoder.half(),
        text_encoder=text_encoder.half(),
        tokenizer=tokenizer,
        unet=unet.half(),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    target = models / CHECKPOINT
    fresh = _fresh_folder(target)
    pipeline.save_pretrained(fresh, safe_serialization=True)
    (fresh / "sajin.json").write_text(json.dumps(ABOUT, indent=2) + "\n")
    _move_files(fresh, target)
    return target


def package_controlnet(models: Path, kind: str, controlnet: ControlNetModel) -> Path:
    """Write controlnet to models/ControlNet/sajin-tiny-<kind> in half precision and return that folder."""
    target = models / CONTROLNETS / f"sajin-tiny-{kind}"
    fresh = _fresh_folder(target)
    controlnet.half().save_pretrained(fresh, safe_serialization=True)
    _move_files(fresh, target)
    return target


def package_motion(models: Path, adapter: MotionAdapter) -> Path:
    """Write the motion module to models/animatediff/sajin-tiny-motion in half precision and return that folder."""
    target = models / MOTION
    fresh = _fresh_folder(target)
    adapter.half().save_pretrained(fresh, safe_serialization=True)
    (fresh / "sajin.json").write_text(json.dumps(ABOUT_MOTION, indent=2) + "\n")
    _move_files(fresh, target)
    return target


def load_pipeline(models: Path, dtype: torch.dtype = torch.float32) -> StableDiffusionPipeline:
    """The packaged pipeline, from disk only."""
    return StableDiffusionPipeline.from_pretrained(
        models / CHECKPOINT, torch_dtype=dtype, safety_checker=None, local_files_only=True
    )


def folder_megabytes(folder: Path) -> float:
    """Size of all files below folder in units of 1,000,000 bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _fresh_folder(target: Path) -> Path:
    fresh = target.with_name(f".{target.name}.writing")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def _move_files(fresh: Path, target: Path) -> None:
    for file in sorted(path for path in fresh.rglob("*") if path.is_file()):
        place = target / file.relative_to(fresh)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    shutil.rmtree(fresh)

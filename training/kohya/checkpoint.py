"""Which family a checkpoint is of, told from the shapes in its header before anything is loaded."""

from __future__ import annotations

import json
from enum import StrEnum
from math import prod
from pathlib import Path

from safetensors import SafetensorError, safe_open

from training.errors import TrainerObstacle, TrainerUnusable

_UNET = "model.diffusion_model."
_INPUT = f"{_UNET}input_blocks.0.0.weight"
_CONTEXTS = tuple(f"{_UNET}input_blocks.{block}.1.transformer_blocks.0.attn2.to_k.weight" for block in (1, 4))
_LATENT_CHANNELS = 4
_FIRST_BLOCK = 320


class Family(StrEnum):
    """What sd-scripts' LoRA scripts learn on."""

    SD15 = "sd15"
    SDXL = "sdxl"


_WIDTHS = {768: Family.SD15, 2048: Family.SDXL}
_OTHERS = {1024: "Stable Diffusion 2", 1280: "the SDXL refiner"}


def family_of(checkpoint: Path) -> Family:
    """The family of a .safetensors file or a diffusers folder.

    The width of the text embeddings tells: 768 Stable Diffusion 1, 1024 Stable Diffusion 2, 2048 SDXL.
    Raises TrainerUnusable for anything but a full-sized text-to-picture Stable Diffusion 1 or SDXL.
    """
    if checkpoint.is_dir():
        channels, first, context = _of_folder(checkpoint)
    elif checkpoint.suffix == ".safetensors":
        channels, first, context = _of_file(checkpoint)
    else:
        raise _unfit(checkpoint, "is neither a .safetensors file nor a diffusers folder")
    if channels != _LATENT_CHANNELS:
        raise _unfit(checkpoint, f"takes {channels} channels, as inpainting checkpoints do")
    if context not in _WIDTHS:
        raise _unfit(checkpoint, f"is of {_OTHERS.get(context, 'another family')}")
    if first != _FIRST_BLOCK:
        raise _unfit(checkpoint, "is smaller or larger than Stable Diffusion 1 and SDXL are")
    return _WIDTHS[context]


def single_bytes(checkpoint: Path) -> int:
    """What the weights of a .safetensors file or a folder of them take in single precision. Raises TrainerUnusable."""
    files = [checkpoint] if checkpoint.is_file() else sorted(checkpoint.rglob("*.safetensors"))
    return 4 * sum(map(_numbers_in, files))


def _numbers_in(file: Path) -> int:
    try:
        with safe_open(file, framework="np") as tensors:
            return sum(prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unfit(file, f"cannot be read ({error})") from error


def _of_file(checkpoint: Path) -> tuple[int, int, int]:
    """Channels taken, width of the first block, width of the text embeddings."""
    try:
        with safe_open(checkpoint, framework="np") as tensors:
            present = set(tensors.keys())
            context = next((name for name in _CONTEXTS if name in present), None)
            if context is None or _INPUT not in present:
                raise _unfit(checkpoint, "is of another family")
            first, channels = tensors.get_slice(_INPUT).get_shape()[:2]
            return channels, first, tensors.get_slice(context).get_shape()[1]
    except (OSError, SafetensorError) as error:
        raise _unfit(checkpoint, f"cannot be read ({error})") from error


def _of_folder(checkpoint: Path) -> tuple[int, int, int]:
    try:
        config = json.loads((checkpoint / "unet" / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unfit(checkpoint, f"has no readable unet/config.json ({error})") from error
    if not isinstance(config, dict):
        raise _unfit(checkpoint, "has no readable unet/config.json")
    return (
        _number(config.get("in_channels")),
        _number(config.get("block_out_channels")),
        _number(config.get("cross_attention_dim")),
    )


def _number(value: object) -> int:
    """A number, or the first of several; 0 for anything else."""
    if isinstance(value, list) and value:
        return _number(value[0])
    return value if isinstance(value, int) else 0


def _unfit(checkpoint: Path, what: str) -> TrainerUnusable:
    return TrainerUnusable(
        TrainerObstacle.CHECKPOINT_UNFIT,
        f"The checkpoint {checkpoint.name} {what}; sd-scripts cannot learn on it.",
        "Choose a Stable Diffusion 1.5 or SDXL checkpoint, or another trainer.",
    )

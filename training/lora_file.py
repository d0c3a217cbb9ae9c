"""A LoRA that another program wrote, looked at and written again without what would tell of photos and folders."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from training.errors import TrainingFailed

TELLING = frozenset(
    ["ss_datasets", "ss_dataset_dirs", "ss_reg_dataset_dirs", "ss_tag_frequency", "ss_bucket_info"]
)
"""Metadata of kohya's form with captions, folder names and sizes of photos."""

Tensors = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A whole LoRA. about: its metadata."""

    tensors: Tensors
    about: dict[str, str]


def read_lora(path: Path) -> LoraFile | None:
    """The file's content; None for one that is missing, cut off or no LoRA."""
    try:
        with safe_open(path, framework="np") as stream:
            about = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError):
        return None
    learned = any(name.endswith(".lora_up.weight") for name in tensors)
    return LoraFile(tensors, about) if learned else None


def require_numbers(lora: LoraFile) -> None:
    """Raise TrainingFailed if any weight is infinite or not a number, which trainers save without a word."""
    if not all(np.isfinite(tensor).all() for tensor in lora.tensors.values()):
        raise TrainingFailed(
            "The training diverged: the LoRA has weights that are no numbers.",
            "Start it again with a lower learning rate.",
        )


def publish(lora: LoraFile, path: Path, trigger: str, steps: int) -> str:
    """Write the LoRA to path whole or not at all, naming no photo or folder; its SHA-256.

    The tensors, and with them A1111's hash of the LoRA, stay as they are. steps: all that made it; the file's own
    number may be of its last run alone.
    """
    about = {name: text for name, text in lora.about.items() if name not in TELLING}
    pictures = int(about["ss_num_train_images"]) if about.get("ss_num_train_images", "").isdecimal() else 1
    about["ss_tag_frequency"] = json.dumps({trigger: {trigger: pictures}})
    about["ss_output_name"] = about["modelspec.title"] = path.stem
    about["modelspec.trigger_phrase"] = trigger
    about["ss_steps"] = str(steps)
    data = save(lora.tensors, metadata=about)
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return hashlib.sha256(data).hexdigest()

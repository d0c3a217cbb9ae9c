"""A place with a stand-in of sd-scripts, checkpoints that look like those it learns on, and three photos."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.persons import astronaut
from training.kohya import Installation
from training.port import TrainingPhoto, TrainingRequest

SCRIPTS = Path(__file__).with_name("sd_scripts")
UNET = "model.diffusion_model.input_blocks"


def install(folder: Path) -> Installation:
    """The stand-in in a folder of its own, for this Python."""
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Installation(folder, Path(sys.executable))


def behave(installation: Installation, **behaviour: object) -> None:
    """Say what the next runs shall do; nothing said means that all goes well."""
    (installation.folder / "behaviour.json").write_text(json.dumps(behaviour), encoding="utf-8")


def write_checkpoint(path: Path, *, block: int = 1, width: int = 768, channels: int = 4) -> Path:
    """A file with the two tensors that tell a family. SDXL: block 4, width 2048."""
    name = f"{UNET}.{block}.1.transformer_blocks.0.attn2.to_k.weight"
    tensors = {
        f"{UNET}.0.0.weight": np.zeros((320, channels, 3, 3), np.float16),
        name: np.zeros((320, width), np.float16),
    }
    save_file(tensors, path)
    return path


def request_of_three(folder: Path, steps: int = 24) -> TrainingRequest:
    """Three photos to be learned on an SD 1.5 checkpoint."""
    photos = []
    for number, data in enumerate(astronaut(3, side=300)):
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        photos.append(TrainingPhoto(path=path, box=(100, 75, 200, 180), caption="orange suit, flag behind"))
    return TrainingRequest(
        photos=tuple(photos),
        checkpoint=write_checkpoint(folder / "realistic.safetensors"),
        instance_token="sks",
        class_noun="woman",
        output=folder / "loras" / "learned.safetensors",
        work_folder=folder / "work",
        steps=steps,
        rank=2,
        seed=5,
    )

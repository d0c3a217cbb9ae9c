"""What a training has learned so far, kept on disk so that a crash costs seconds."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.embedded.learning import Learner

STATE_FILE = "state.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a training is. loss: smoothed, None before the first step. seconds: spent so far, in all runs."""

    step: int = 0
    loss: float | None = None
    seconds: float = 0.0


def save_state(folder: Path, key: str, learner: Learner, standing: Standing) -> None:
    """Write adapter, optimizer and standing, whole or not at all."""
    content = {
        "key": key,
        "step": standing.step,
        "loss": standing.loss,
        "seconds": standing.seconds,
        "parameters": [parameter.detach().cpu() for parameter in learner.parameters],
        "optimizer": learner.optimizer.state_dict(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{STATE_FILE}.partial"
    try:
        with partial.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(folder / STATE_FILE)
    finally:
        partial.unlink(missing_ok=True)


def restore_state(folder: Path, key: str, learner: Learner) -> Standing:
    """Bring the learner to where it was under the same key; a fresh start where nothing usable is kept."""
    content = _read(folder / STATE_FILE)
    if content is None or content.get("key") != key or not _fits(content, learner):
        return Standing()
    with torch.no_grad():
        for parameter, kept in zip(learner.parameters, content["parameters"], strict=True):
            parameter.copy_(kept)
    learner.optimizer.load_state_dict(content["optimizer"])
    return Standing(step=content["step"], loss=content["loss"], seconds=content["seconds"])


def state_key(*parts: object) -> str:
    """A hash of everything that a training depends on: state of another key is not taken up again."""
    return hashlib.sha256("\n".join(repr(part) for part in parts).encode()).hexdigest()


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        content: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
        return None
    return content


def _fits(content: Mapping[str, Any], learner: Learner) -> bool:
    kept = content.get("parameters", ())
    return [tensor.shape for tensor in kept] == [parameter.shape for parameter in learner.parameters]

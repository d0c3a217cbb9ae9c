"""Training state on disk: written beside the old file and renamed, so that a crash leaves the old one whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

State = dict[str, Any]


def save_state(file: Path, state: State) -> None:
    """Replace file by state at once; readers never see half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".writing{os.getpid()}")
    torch.save(state, fresh)
    fresh.replace(file)


def load_state(file: Path, device: str = "cpu") -> State | None:
    """The state last saved in file, or None when there is none yet."""
    if not file.exists():
        return None
    state: State = torch.load(file, map_location=device, weights_only=True)
    return state


class Average:
    """Exponential moving average of a network's weights in fp32 (Polyak & Juditsky 1992)."""

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.shadow = [parameter.detach().float().clone() for parameter in parameters]
        self.updates = 0

    @torch.no_grad()
    def update(self, parameters: Iterable[torch.Tensor]) -> None:
        """Move the average towards parameters; the first updates move it faster."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.shadow, [parameter.detach().float() for parameter in parameters], 1 - decay)

    @torch.no_grad()
    def copy_to(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the averaged weights into parameters, in their own precision."""
        for parameter, value in zip(parameters, self.shadow, strict=True):
            parameter.copy_(value)

    def state(self) -> State:
        """What restore takes."""
        return {"shadow": self.shadow, "updates": self.updates}

    def restore(self, state: State) -> None:
        """Go on from a saved average."""
        self.shadow = [value.clone() for value in state["shadow"]]
        self.updates = int(state["updates"])

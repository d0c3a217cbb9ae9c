"""What every method tells the learning loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Parameters that learn together. steps: in which of the training's steps they learn, counted from 0."""

    parameters: tuple[torch.nn.Parameter, ...]
    learning_rate: float
    steps: range
    weight_decay: float = 1e-2


class Teaching(Protocol):
    """A method at work on a model's networks.

    word: what stands for the person in captions. hears: whether anything learns that the text encoder's answer depends
    on, so that it must be asked anew at every step.
    """

    word: str
    hears: bool
    shares: tuple[Share, ...]

    def move(self, optimizer: torch.optim.Optimizer) -> None:
        """Change the parameters by one step of the optimizer, as the method takes it."""

    def tensors(self) -> Tensors:
        """What was learned, as it lies in the file."""

    def about(self) -> dict[str, str]:
        """Metadata that tells how the tensors are to be used."""

"""Muon: momentum whose matrices are made orthogonal before each step (Jordan et al. 2024); AdamW for the rest.

The step is scaled to the size of AdamW's (Liu et al. 2025), so both take the same learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .checkpoint import State

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
SMALLEST_SIDE = 16


class Muon:
    """The optimizer of parameters, whose grad is to be set before step."""

    def __init__(self, parameters: Sequence[Tensor], weight_decay: float = 0.01) -> None:
        self._matrices = [parameter for parameter in parameters if is_matrix(parameter)]
        self._momenta = [torch.zeros_like(parameter) for parameter in self._matrices]
        rest = [parameter for parameter in parameters if not is_matrix(parameter)]
        groups = [{"params": rest}]
        self._adam = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0, foreach=True)
        self._weight_decay = weight_decay

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step; parameters without a gradient stay."""
        for group in self._adam.param_groups:
            group["lr"] = learning_rate
        self._adam.step()
        for parameter, momentum in zip(self._matrices, self._momenta, strict=True):
            if parameter.grad is None:
                continue
            momentum.lerp_(parameter.grad, 1 - MOMENTUM)
            ahead = parameter.grad.lerp(momentum, MOMENTUM).flatten(1)
            direction = orthogonal(ahead) * (0.2 * max(ahead.shape) ** 0.5)
            parameter.mul_(1 - learning_rate * self._weight_decay)
            parameter.add_(direction.view_as(parameter), alpha=-learning_rate)

    def state(self) -> State:
        """What restore takes."""
        return {"momenta": self._momenta, "adam": self._adam.state_dict()}

    def restore(self, state: State) -> None:
        """Go on from a saved state."""
        for momentum, saved in zip(self._momenta, state["momenta"], strict=True):
            momentum.copy_(saved)
        self._adam.load_state_dict(state["adam"])


def is_matrix(parameter: Tensor) -> bool:
    """Whether Muon moves it: a linear layer or convolution that is not very thin."""
    return parameter.ndim >= 2 and min(parameter.shape[0], parameter[0].numel()) >= SMALLEST_SIDE


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest half-orthogonal matrix, roughly, by Newton-Schulz iteration in bf16; shape (rows, columns)."""
    a, b, c = NEWTON_SCHULZ
    wide = matrix.bfloat16() if matrix.shape[0] <= matrix.shape[1] else matrix.bfloat16().T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    result: Tensor = wide if matrix.shape[0] <= matrix.shape[1] else wide.T
    return result.to(matrix.dtype)

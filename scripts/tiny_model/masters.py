"""Muon for a network in bf16: the weights are kept in fp32 beside it, and rounded into it after every step."""

from __future__ import annotations

import torch
from torch import nn

from .checkpoint import Average, State
from .muon import Muon


class MasterOptimizer:
    """Masters, their optimizer and their moving average.

    The network computes in half the width at ten times the speed (on processors with bf16 instructions), while small
    steps are not lost in rounding.
    """

    def __init__(self, network: nn.Module, learning_rate: float, decay: float) -> None:
        self._learning_rate = learning_rate
        self._live = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.masters = [parameter.detach().float().clone() for parameter in self._live]
        self._muon = Muon(self.masters)
        self.average = Average([nn.Parameter(master) for master in self.masters], decay)

    def step(self, rate_share: float) -> None:
        """One step along the gradients of the network; the rate is rate_share of the full one."""
        for master, parameter in zip(self.masters, self._live, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        self._muon.step(self._learning_rate * rate_share)
        self.average.update(self.masters)
        self._round()

    def state(self) -> State:
        """What restore takes."""
        return {"masters": self.masters, "muon": self._muon.state(), "average": self.average.state()}

    def restore(self, state: State) -> None:
        """Go on from a saved state."""
        with torch.no_grad():
            for master, saved in zip(self.masters, state["masters"], strict=True):
                master.copy_(saved)
        self._muon.restore(state["muon"])
        self.average.restore(state["average"])
        self._round()

    @torch.no_grad()
    def _round(self) -> None:
        torch._foreach_copy_([parameter.data for parameter in self._live], self.masters)

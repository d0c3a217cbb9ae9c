"""What moves the parameters: AdamW (Loshchilov & Hutter 2019), the same in 8 bits, or Prodigy."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch

from training.embedded.methods.teaching import Share
from training.names import OptimizerName

BETAS = (0.9, 0.99)


class OptimizerMissing(Exception):
    """The optimizer's package is not installed here, or has nothing to run on."""

    def __init__(self, optimizer: str, need: str) -> None:
        super().__init__(f"the optimizer {optimizer} needs {need}")
        self.optimizer, self.need = optimizer, need


def require_optimizer(name: OptimizerName) -> None:
    """Raise OptimizerMissing where it cannot run, before anything is prepared for it."""
    if name == "prodigy" and find_spec("prodigyopt") is None:
        raise OptimizerMissing(name, "the package prodigyopt")
    if name == "adamw8bit":
        if find_spec("bitsandbytes") is None:
            raise OptimizerMissing(name, "the package bitsandbytes")
        if not torch.cuda.is_available():
            raise OptimizerMissing(name, "a CUDA card")


def make_optimizer(name: OptimizerName, shares: Sequence[Share]) -> torch.optim.Optimizer:
    """An optimizer with a group for each share.

    prodigy: Mishchenko & Defazio 2023, with the settings its authors give for diffusion; it finds the learning rate
    itself, the share's is a factor. adamw8bit: Dettmers et al. 2021. Raises OptimizerMissing.
    """
    require_optimizer(name)
    groups: list[dict[str, Any]] = [
        {"params": list(share.parameters), "lr": share.learning_rate, "weight_decay": share.weight_decay}
        for share in shares
    ]
    optimizer: torch.optim.Optimizer
    if name == "prodigy":
        from prodigyopt import Prodigy

        optimizer = Prodigy(groups, betas=BETAS, use_bias_correction=True, safeguard_warmup=True)
    elif name == "adamw8bit":
        from bitsandbytes.optim import AdamW8bit

        optimizer = AdamW8bit(groups, betas=BETAS)
    else:
        optimizer = torch.optim.AdamW(groups, betas=BETAS, fused=True)
    return optimizer

"""Pivotal tuning (Roich et al. 2021, for diffusion as in cloneofsimo's lora): first the word, then a LoRA around it."""

from __future__ import annotations

import torch

from training.embedded.methods.inversion import LearntWord
from training.embedded.methods.lora import Lora
from training.embedded.methods.teaching import Share, Tensors
from training.embedded.plan import LearningPlan
from webui_engine.diffusion.model import Model


class Pivot:
    """A learnt word that stands still while the LoRA learns; one file carries both, as A1111 1.7 and newer read it."""

    hears = True

    def __init__(self, model: Model, plan: LearningPlan, instance_token: str, class_noun: str) -> None:
        self._name = instance_token
        self._word = LearntWord(model, plan, class_noun)
        self._lora = Lora(model, plan, self._word.word)
        self.word = self._word.word
        self.shares: tuple[Share, ...] = (*self._word.shares, *self._lora.shares)

    def move(self, optimizer: torch.optim.Optimizer) -> None:
        """The optimizer's step, no more."""
        optimizer.step()

    def tensors(self) -> Tensors:
        """The LoRA, and the word under A1111's name for one that comes with it."""
        bundled = f"bundle_emb.{self._name}.string_to_param.*"
        return self._lora.tensors() | {bundled: self._word.tensors()["emb_params"]}

    def about(self) -> dict[str, str]:
        """The LoRA's."""
        return self._lora.about()

"""The ways of teaching: what of the networks learns, and the file that comes of it. One module each."""

from __future__ import annotations

from training.embedded.methods.full import WholeUnet
from training.embedded.methods.inversion import LearntWord
from training.embedded.methods.lora import Lora
from training.embedded.methods.pivotal import Pivot
from training.embedded.methods.teaching import Teaching
from training.embedded.plan import LearningPlan
from webui_engine.diffusion.model import Model

__all__ = ["Teaching", "teach"]


def teach(model: Model, plan: LearningPlan, instance_token: str, class_noun: str) -> Teaching:
    """Prepare the model's networks for the plan's method; nothing of what they do changes by that alone."""
    match plan.method.name:
        case "textual_inversion" | "momentum_inversion":
            return LearntWord(model, plan, class_noun)
        case "pivotal_tuning":
            return Pivot(model, plan, instance_token, class_noun)
        case "dreambooth":
            return WholeUnet(model, plan, instance_token)
        case _:
            return Lora(model, plan, instance_token)

"""DreamBooth in full (Ruiz et al. 2022): every weight of the UNet learns, and the file is a whole checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch

from training.embedded.ldm import ldm_state
from training.embedded.methods.lora import half
from training.embedded.methods.teaching import Share, Tensors
from training.embedded.plan import LearningPlan
from webui_engine.diffusion import sidecar, vocabulary
from webui_engine.diffusion.model import Model


class WholeUnet:
    """A UNet that learns in single precision. The text encoder and the autoencoder stay as they are."""

    hears = False

    def __init__(self, model: Model, plan: LearningPlan, instance_token: str) -> None:
        self.word, self._model = instance_token, model
        model.unet.float().requires_grad_(True)
        self.shares: tuple[Share, ...] = (
            Share(
                parameters=tuple(model.unet.parameters()),
                learning_rate=plan.learning_rate,
                steps=range(plan.steps),
            ),
        )

    def move(self, optimizer: torch.optim.Optimizer) -> None:
        """The optimizer's step, no more."""
        optimizer.step()

    def tensors(self) -> Tensors:
        """The whole checkpoint in half precision, in the key layout of Stable Diffusion 1."""
        return {name: half(weight) for name, weight in ldm_state(self._model.pipeline).items()}

    def about(self) -> dict[str, str]:
        """What shapes do not tell, for our engine: configurations, and a vocabulary that is not CLIP's."""
        pipeline = self._model.pipeline
        configs = {part: dict(getattr(pipeline, part).config) for part in ("unet", "vae", "scheduler")}
        configs["text_encoder"] = pipeline.text_encoder.config.to_dict()
        told = {part: _without_places(config) for part, config in configs.items()}
        return {
            "modelspec.architecture": "stable-diffusion-v1",
            sidecar.INSIDE: json.dumps(told, default=str),
            vocabulary.INSIDE: pipeline.tokenizer.backend_tokenizer.to_str(),
        }


def _without_places(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what libraries note for themselves, such as the folder it was read from."""
    return {key: value for key, value in config.items() if not key.startswith("_")}

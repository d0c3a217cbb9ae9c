"""What the text encoder says to the captions: remembered where nothing of it learns, else asked at every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from webui_engine.diffusion.model import Model


class Words(Protocol):
    """Text embeddings by the number of a caption."""

    def at(self, numbers: torch.Tensor) -> torch.Tensor:
        """The embeddings of captions, shape (batch, tokens, width). numbers: on any device, shape (batch,)."""


class RememberedWords:
    """Every caption's embedding, computed once."""

    def __init__(self, model: Model, texts: Sequence[str]) -> None:
        with torch.inference_mode():
            told = model.text_encoder(_tokens(model, texts))[0]
        self._told: torch.Tensor = told.to(model.device.dtype).clone()

    def at(self, numbers: torch.Tensor) -> torch.Tensor:
        """See Words."""
        told: torch.Tensor = self._told[numbers.to(self._told.device)]
        return told


class HeardWords:
    """A text encoder that is asked each time, with gradients for what learns in it."""

    def __init__(self, model: Model, texts: Sequence[str]) -> None:
        self._model, self._tokens = model, _tokens(model, texts)

    def at(self, numbers: torch.Tensor) -> torch.Tensor:
        """See Words."""
        told: torch.Tensor = self._model.text_encoder(self._tokens[numbers.to(self._tokens.device)])[0]
        return told.to(self._model.device.dtype)


def _tokens(model: Model, texts: Sequence[str]) -> torch.Tensor:
    tokenizer = model.tokenizer
    batch = tokenizer(
        list(texts),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    ids: torch.Tensor = batch.input_ids.to(model.device.place)
    return ids

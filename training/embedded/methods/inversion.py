"""Textual inversion (Gal et al. 2022): a new word whose vectors alone learn; and momentum textual inversion.

Momentum textual inversion takes only a share gamma of each step: the new vectors are (1 - gamma) of the last ones and
gamma of those the optimizer proposes, so that they do not jump far from where they began. Where the optimizer's step is
proportional to its learning rate, as AdamW's is without weight decay, that is textual inversion at gamma times the
learning rate, neither more nor less (tests/unit/training/test_methods.py shows it).
"""

from __future__ import annotations

import torch
from transformers import CLIPTokenizer

from training.embedded.methods.teaching import Share, Tensors
from training.embedded.plan import LearningPlan
from webui_engine.diffusion.model import Model


class TaughtEmbedding(torch.nn.Module):
    """A text encoder's vectors, followed by those of the learnt word."""

    def __init__(self, known: torch.nn.Embedding, learnt: torch.nn.Parameter) -> None:
        super().__init__()
        self.known, self.learnt = known, learnt
        self._count = int(known.weight.shape[0])

    @property
    def weight(self) -> torch.Tensor:
        """The known vectors, by which libraries ask for precision and device."""
        return self.known.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """The vector of each id, shape (…, width); ids from the known count on are the learnt word's."""
        known: torch.Tensor = self.known(ids.clamp(max=self._count - 1))
        learnt = self.learnt[(ids - self._count).clamp(min=0)].to(known.dtype)
        return torch.where((ids >= self._count).unsqueeze(-1), learnt, known)


class LearntWord:
    """Vectors that learn to mean the person; they begin as the class noun, the networks stay as they are.

    Captions say marks that no text contains; in prompts the word is called by the name of its file.
    """

    hears = True

    def __init__(self, model: Model, plan: LearningPlan, class_noun: str) -> None:
        embedding = model.text_encoder.get_input_embeddings()
        start = embedding.weight.detach()[_ids(model.tokenizer, class_noun)].mean(dim=0)
        self.vectors = torch.nn.Parameter(start.float().repeat(plan.method.vectors, 1))
        marks = [f"<sajin-{number}>" for number in range(plan.method.vectors)]
        model.tokenizer.add_tokens(marks)
        model.text_encoder.set_input_embeddings(TaughtEmbedding(embedding, self.vectors))
        self.word = " ".join(marks)
        self.shares: tuple[Share, ...] = (
            Share(
                parameters=(self.vectors,),
                learning_rate=plan.word_rate,
                steps=range(plan.word_steps),
                weight_decay=0.0,
            ),
        )
        self._gamma = plan.method.momentum if plan.method.name == "momentum_inversion" else 1.0

    def move(self, optimizer: torch.optim.Optimizer) -> None:
        """Go gamma of the way that the optimizer goes."""
        before = self.vectors.detach().clone()
        optimizer.step()
        if self._gamma < 1.0:
            with torch.no_grad():
                self.vectors.copy_(torch.lerp(before, self.vectors, self._gamma))

    def tensors(self) -> Tensors:
        """As kohya and A1111 read a word from a file that is named like it."""
        return {"emb_params": self.vectors.detach().to("cpu", torch.float32).contiguous().clone()}

    def about(self) -> dict[str, str]:
        """What kind of file it is."""
        return {"modelspec.architecture": "stable-diffusion-v1/textual-inversion"}


def _ids(tokenizer: CLIPTokenizer, words: str) -> list[int]:
    ids: list[int] = tokenizer(words, add_special_tokens=False).input_ids
    return ids

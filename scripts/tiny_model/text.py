"""Teaches the text encoder the attributes of captions before the denoiser listens to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from .captions import ANSWERS, attributes_said, caption, distracted
from .checkpoint import load_state, save_state
from .portrait import random_portrait
from .shapes import TEXT_WIDTH, build_text_encoder
from .vocabulary import MAX_TOKENS

UNSAID = "unsaid"
DISTRACTED = 0.4
TEACHING_SEEDS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRun:
    """One stretch of teaching; seconds: how long."""

    state_file: Path
    seconds: float
    batch: int = 64
    learning_rate: float = 1e-3
    device: str = "cpu"


class Readout(nn.Module):
    """Linear heads that name the attributes at the end token and at every padding token."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {kind: nn.Linear(TEXT_WIDTH, 1 + len(said)) for kind, said in ANSWERS.items()}
        )

    def forward(self, states: Tensor) -> dict[str, Tensor]:
        """States (..., TEXT_WIDTH) to scores (..., answers) per kind of attribute."""
        return {kind: head(states) for kind, head in self.heads.items()}


def train_text(run: TextRun, tokenizer: CLIPTokenizer, log: Callable[[str], None]) -> CLIPTextModel:
    """Go on from run.state_file for run.seconds; returns the encoder.

    The loss is that of naming each attribute said, from the end token, a padding token and the mean of both.
    """
    model, readout = build_text_encoder(tokenizer).to(run.device), Readout().to(run.device)
    state = load_state(run.state_file, run.device)
    if state is not None:
        model.load_state_dict(state["model"])
        readout.load_state_dict(state["readout"])
    parameters = [*model.parameters(), *readout.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=run.learning_rate, weight_decay=0.01)
    start, step = time.monotonic(), int(state["step"]) if state else 0
    rng = random.Random(step)
    while (passed := time.monotonic() - start) < run.seconds:
        for group in optimizer.param_groups:
            group["lr"] = run.learning_rate * max(0.05, 1 - passed / run.seconds)
        texts, answers = teaching_batch(run.batch, rng)
        scores = readout(states_to_read(model, tokenizer, texts, run.device))
        loss = sum(
            (_naming_loss(scores[kind], answers[kind].to(run.device)) for kind in ANSWERS), torch.zeros(())
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        if step % 100 == 0:
            log(f"text step {step}, loss {loss.item():.3f}, right {_share_right(scores, answers):.3f}")
            save_state(
                run.state_file, {"model": model.state_dict(), "readout": readout.state_dict(), "step": step}
            )
    save_state(run.state_file, {"model": model.state_dict(), "readout": readout.state_dict(), "step": step})
    return model


def teaching_batch(count: int, rng: random.Random) -> tuple[list[str], dict[str, Tensor]]:
    """Fresh captions and, per kind of attribute, the number of what each says (0: nothing)."""
    texts: list[str] = []
    said: dict[str, list[int]] = {kind: [] for kind in ANSWERS}
    for _ in range(count):
        portrait = random_portrait(TEACHING_SEEDS + rng.randrange(2**40))
        text = caption(portrait, rng.randrange(2**40))
        texts.append(distracted(text, rng) if rng.random() < DISTRACTED else text)
        for kind, word in attributes_said(text, portrait).items():
            said[kind].append(
                0 if word == UNSAID or word not in ANSWERS[kind] else 1 + ANSWERS[kind].index(word)
            )
    return texts, {kind: torch.tensor(numbers) for kind, numbers in said.items()}


def tokens_of(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token numbers (count, 77), padded with the end token."""
    found = tokenizer(
        texts, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
    )
    numbers: Tensor = found.input_ids
    return numbers


def states_to_read(model: CLIPTextModel, tokenizer: CLIPTokenizer, texts: list[str], device: str) -> Tensor:
    """The states at the end token, at the last token seen and two after the end; (count, 3, width)."""
    tokens = tokens_of(tokenizer, texts).to(device)
    longest = min(MAX_TOKENS, int((tokens != tokenizer.eos_token_id).sum(1).max()) + 6)
    states = model(tokens[:, :longest]).last_hidden_state
    ends = (tokens == tokenizer.eos_token_id).int().argmax(1)
    at_end = states[torch.arange(len(texts)), ends]
    return torch.stack(
        [at_end, states[:, -1], states[torch.arange(len(texts)), (ends + 2).clamp(max=states.shape[1] - 1)]],
        1,
    )


def _naming_loss(scores: Tensor, answers: Tensor) -> Tensor:
    return functional.cross_entropy(scores.flatten(0, 1), answers.repeat_interleave(scores.shape[1]))


def _share_right(scores: dict[str, Tensor], answers: dict[str, Tensor]) -> float:
    right = [(scores[kind][:, 0].argmax(1).cpu() == answers[kind]).float().mean() for kind in ANSWERS]
    return float(torch.stack(right).mean())

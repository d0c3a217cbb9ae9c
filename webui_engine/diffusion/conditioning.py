"""Prompts as the vectors the denoiser reads: chunks of 75 tokens, emphasis, clip skip, AND, prompt editing.

A1111's scheme on the checkpoint's own tokenizer and text encoder: a long prompt becomes several chunks that are encoded
one by one and laid end to end; an emphasis scales a token's vectors, after which the chunk's mean is restored.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from transformers import CLIPTokenizer

from webui_engine.diffusion.model import Model, TextEncoder
from webui_engine.diffusion.prompt_editing import schedule_prompt
from webui_engine.diffusion.prompts import Weighted, parse_attention, plain_text, split_composition
from webui_engine.errors import BadValue

_COMMA_LOOKBACK = 20
_REMEMBERED = 64
_LEAST_MEAN = 1e-3
"""A mean below this share of the spread is chance, and not restored: the division would blow the vectors up."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A chunk of token numbers without its first and last mark, and each token's weight."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A prompt: vectors (1, tokens, width), and its summary (1, width) where the denoiser wants one (SDXL)."""

    vectors: torch.Tensor
    pooled: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class Guidance:
    """What one step is conditioned on.

    vectors: (1 + parts, pictures, tokens, width), the negative prompt first; pictures is 1 where all of a batch have
    the same prompt. weights: one for each part of the prompt. pooled: the prompts' summaries, (1 + parts, width), for
    SDXL.
    """

    vectors: torch.Tensor
    weights: tuple[float, ...]
    pooled: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class Conditioning:
    """The guidance of every step; changes holds (last step, guidance) in order."""

    changes: tuple[tuple[int, Guidance], ...]

    def at(self, step: int) -> Guidance:
        """The guidance of a step, from 1."""
        return next((guidance for last, guidance in self.changes if step <= last), self.changes[-1][1])


class PromptEncoder:
    """Encodes prompts with a model's text encoders and remembers the recent ones until their weights change.

    SDXL's two encoders give the layer before the last, side by side, whatever clip_skip says, and an empty negative
    prompt is nothing at all, as in A1111.
    """

    def __init__(self, model: Model, *, clip_skip: int = 1, emphasis: str = "Original") -> None:
        self._is_sdxl = model.is_sdxl
        self._towers = tuple(
            _Tower(model, tokenizer, encoder, clip_skip=clip_skip, emphasis=emphasis)
            for tokenizer, encoder in model.text_parts
        )
        self._remembered: OrderedDict[str, Encoded] = OrderedDict()

    def encode(self, prompt: str, negative: str, steps: int, *, earlier_steps: int = 0) -> Conditioning:
        """The conditioning of a pass of so many steps; earlier_steps are those of the pass before, for hires fix."""
        return self.encode_each((prompt,), negative, steps, earlier_steps=earlier_steps)

    def encode_each(
        self, prompts: Sequence[str], negative: str, steps: int, *, earlier_steps: int = 0
    ) -> Conditioning:
        """The same for pictures that have a prompt each; BadValue if AND parts the prompts in different ways."""
        texts = (*prompts, negative)
        schedules = [schedule_prompt(text, steps, earlier_steps=earlier_steps) for text in texts]
        ends = sorted({part.last for parts in schedules for part in parts})
        changes = []
        for end in ends:
            *positive, without = (next(p.text for p in parts if end <= p.last) for parts in schedules)
            changes.append((end, self._guidance(positive, without)))
        return Conditioning(tuple(changes))

    def _guidance(self, prompts: Sequence[str], negative: str) -> Guidance:
        compositions = [split_composition(prompt) for prompt in prompts]
        weights = tuple(part.weight for part in compositions[0])
        for prompt, parts in zip(prompts, compositions, strict=True):
            if tuple(part.weight for part in parts) != weights:
                raise BadValue("prompt", prompt, "AND has to part the prompts of all frames in the same way")
        encoded = [
            self._negative(negative),
            *(self._encoded(part.text) for parts in compositions for part in parts),
        ]
        first, *others = self._same_length([one.vectors for one in encoded])
        vectors = torch.cat(others).unflatten(0, (len(prompts), len(weights))).transpose(0, 1)
        pooled = [one.pooled for one in encoded if one.pooled is not None]
        return Guidance(
            torch.cat([first.expand_as(vectors[0]).unsqueeze(0), vectors]),
            weights,
            torch.cat(pooled) if pooled else None,
        )

    def _negative(self, text: str) -> Encoded:
        encoded = self._encoded(text)
        if text or encoded.pooled is None:
            return encoded
        return Encoded(torch.zeros_like(encoded.vectors), torch.zeros_like(encoded.pooled))

    def _same_length(self, encoded: list[torch.Tensor]) -> list[torch.Tensor]:
        """Shorter ones are filled up with the empty prompt, so that one network call serves all."""
        longest = max(vectors.shape[1] for vectors in encoded)
        is_uneven = any(vectors.shape[1] < longest for vectors in encoded)
        empty = self._encoded("").vectors if is_uneven else encoded[0]
        return [
            torch.cat([vectors, *[empty] * ((longest - vectors.shape[1]) // empty.shape[1])], dim=1)
            for vectors in encoded
        ]

    def _encoded(self, text: str) -> Encoded:
        found = self._remembered.get(text)
        if found is None:
            parts = [tower.encode(text) for tower in self._towers]
            vectors = torch.cat([part.vectors for part in parts], dim=-1)
            found = self._remembered[text] = Encoded(vectors, parts[-1].pooled)
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        else:
            self._remembered.move_to_end(text)
        return found


class _Tower:
    """One text encoder with its tokenizer."""

    def __init__(
        self, model: Model, tokenizer: CLIPTokenizer, encoder: TextEncoder, *, clip_skip: int, emphasis: str
    ) -> None:
        self._model, self._tokenizer, self._encoder = model, tokenizer, encoder
        self._clip_skip, self._emphasis = clip_skip, emphasis
        limit = int(encoder.config.max_position_embeddings)
        self._chunk_length = min(limit, int(tokenizer.model_max_length)) - 2

    def encode(self, text: str) -> Encoded:
        """The vectors of every chunk, (1, 77 * chunks, width), and the summary of the first for SDXL."""
        vectors, pooled = self._encode_chunks(self._chunks(text))
        return Encoded(vectors.reshape(1, -1, vectors.shape[-1]), pooled)

    def _chunks(self, text: str) -> list[Tokens]:
        groups = plain_text(text) if self._emphasis == "None" else parse_attention(text)
        return [chunk for group in groups for chunk in self._split(self._tokenize(group))]

    def _tokenize(self, stretches: Iterable[Weighted]) -> list[tuple[int, float]]:
        tokenizer = self._tokenizer
        return [
            (int(token), stretch.weight)
            for stretch in stretches
            for token in tokenizer(
                self._model.pipeline.maybe_convert_prompt(stretch.text, tokenizer), add_special_tokens=False
            ).input_ids
        ]

    def _split(self, tokens: list[tuple[int, float]]) -> list[Tokens]:
        """Chunks of at most the encoder's length; a cut is moved back to a comma if one is near."""
        comma = self._comma
        chunks: list[Tokens] = []
        while len(tokens) > self._chunk_length:
            cut = self._chunk_length
            near = range(cut, cut - _COMMA_LOOKBACK, -1)
            cut = next((end for end in near if end > 0 and tokens[end - 1][0] == comma), cut)
            chunks.append(_tokens(tokens[:cut]))
            tokens = tokens[cut:]
        return [*chunks, _tokens(tokens)]

    @property
    def _comma(self) -> int | None:
        ids = self._tokenizer(",", add_special_tokens=False).input_ids
        return int(ids[0]) if len(ids) == 1 else None

    def _encode_chunks(self, chunks: list[Tokens]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(chunks, 77, width), and the summary of the first chunk, (1, width), where there is one."""
        tokenizer = self._tokenizer
        end, pad, length = tokenizer.eos_token_id, tokenizer.pad_token_id, self._chunk_length
        rows = [[tokenizer.bos_token_id, *c.ids, end, *[pad] * (length - len(c.ids))] for c in chunks]
        ids = torch.tensor(rows, device=self._model.device.place)
        vectors, pooled = self._two_layers_down(ids) if self._model.is_sdxl else (self._last_layer(ids), None)
        weights = [[1.0, *c.weights, *[1.0] * (length + 1 - len(c.weights))] for c in chunks]
        emphasis = torch.tensor(weights, device=vectors.device, dtype=vectors.dtype)
        return self._emphasized(vectors, emphasis), pooled

    def _two_layers_down(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What SDXL reads: the layer before the last, and the second encoder's summary of the first chunk."""
        answer = self._encoder(ids, output_hidden_states=True)
        summary = getattr(answer, "text_embeds", None)
        pooled = None if summary is None else self._in_precision(summary[:1])
        return self._in_precision(answer.hidden_states[-2]), pooled

    def _last_layer(self, ids: torch.Tensor) -> torch.Tensor:
        encoder = self._encoder
        if self._clip_skip <= 1:
            return self._in_precision(encoder(ids)[0])
        hidden = encoder(ids, output_hidden_states=True).hidden_states
        chosen = hidden[-min(self._clip_skip, len(hidden) - 1)]
        text_model = getattr(encoder, "text_model", encoder)
        return self._in_precision(text_model.final_layer_norm(chosen))

    def _in_precision(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors.to(self._model.unet.dtype)

    def _emphasized(self, vectors: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        if self._emphasis in {"None", "Ignore"} or bool((weights == 1).all()):
            return vectors
        scaled = vectors * weights.unsqueeze(-1)
        if self._emphasis == "No norm" or bool(scaled.mean().abs() < _LEAST_MEAN * scaled.std()):
            return scaled
        return scaled * (vectors.mean() / scaled.mean())


def _tokens(pairs: list[tuple[int, float]]) -> Tokens:
    return Tokens(tuple(token for token, _ in pairs), tuple(weight for _, weight in pairs))

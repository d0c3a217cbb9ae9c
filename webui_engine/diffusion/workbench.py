"""A loaded checkpoint and what tasks change about it: autoencoder, LoRAs, embeddings, remembered prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webui_engine.diffusion.autoencoders import VaeInfo, VaeSlot
from webui_engine.diffusion.conditioning import PromptEncoder
from webui_engine.diffusion.embeddings import EmbeddingInfo, TaughtWords
from webui_engine.diffusion.loras import LoraInfo, MeltedLoras
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.prompts import extract_networks
from webui_engine.tasks import GenerationTask, Pairs

_ENCODERS_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a task needs of the bench: its prompts without network tags, their encoder, and what to tell about it."""

    prompt: str
    negative: str
    encoder: PromptEncoder
    hashes: Pairs
    warnings: tuple[str, ...]


class Workbench:
    """One model and its changeable parts."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._vae = VaeSlot(model)
        self._loras = MeltedLoras(model)
        self._words = TaughtWords(model)
        self._encoders: dict[tuple[int, str], PromptEncoder] = {}

    def prepare(
        self,
        task: GenerationTask,
        *,
        vae: VaeInfo | None,
        loras: Sequence[LoraInfo],
        embeddings: Sequence[EmbeddingInfo],
    ) -> Prepared:
        """Bring the autoencoder, the LoRAs and the embeddings that the task asks for into effect."""
        prompt, tags = extract_networks(task.prompt)
        negative, _ = extract_networks(task.negative_prompt)
        if task.disable_extra_networks:
            tags = ()
        self._vae.put(vae)
        applied, weights_changed = self._loras.apply(tags, loras)
        texts = (prompt, negative, *self._second_prompts(task))
        taught, words_changed = self._words.teach(texts, embeddings)
        if weights_changed or words_changed:
            self._encoders.clear()
        named = [(name, info.hash) for name, info in applied.loras]
        return Prepared(
            prompt=prompt,
            negative=negative,
            encoder=self._encoder(task),
            hashes=(
                *_hash_pair("Lora hashes", named),
                *_hash_pair("TI hashes", [(info.name, info.hash) for info in taught]),
            ),
            warnings=applied.warnings,
        )

    def _second_prompts(self, task: GenerationTask) -> tuple[str, ...]:
        return (task.hires.prompt, task.hires.negative_prompt) if task.hires else ()

    def _encoder(self, task: GenerationTask) -> PromptEncoder:
        key = task.clip_skip, task.emphasis
        if key not in self._encoders:
            if len(self._encoders) >= _ENCODERS_KEPT:
                self._encoders.clear()
            self._encoders[key] = PromptEncoder(self.model, clip_skip=task.clip_skip, emphasis=task.emphasis)
        return self._encoders[key]


def _hash_pair(key: str, named: Sequence[tuple[str, str]]) -> Pairs:
    """One infotext pair, ``name: hash, …`` without the signs that would break it."""
    if not named:
        return ()
    entries = {name.replace(":", "").replace(",", ""): digest for name, digest in named}
    return ((key, ", ".join(f"{name}: {digest}" for name, digest in entries.items())),)

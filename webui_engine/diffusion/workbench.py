"""A loaded checkpoint and what tasks change about it: autoencoder, LoRAs, embeddings, remembered prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from webui_engine.diffusion.autoencoders import VaeInfo, VaeSlot
from webui_engine.diffusion.conditioning import PromptEncoder
from webui_engine.diffusion.embeddings import EmbeddingInfo, TaughtWords, bundled_embeddings
from webui_engine.diffusion.loras import LoraInfo, MeltedLoras
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.prompts import extract_networks
from webui_engine.tasks import GenerationTask, Pairs

_ENCODERS_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a pass needs of the bench: its prompts without network tags, their encoder, and what to tell about it.

    loras, embeddings: what took part, its name in the prompt and its hash. warnings: why others did not.
    """

    prompt: str
    negative: str
    encoder: PromptEncoder
    loras: tuple[tuple[str, str], ...]
    embeddings: tuple[tuple[str, str], ...]
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
        second_pass: bool = False,
    ) -> Prepared:
        """Bring into effect the autoencoder, the LoRAs and the embeddings that the task asks for.

        second_pass: of hires fix, whose own prompt, where it has one, brings its own LoRAs.
        """
        texts = _prompts(task, second_pass=second_pass)
        (prompt, tags), (negative, _) = (extract_networks(text) for text in texts)
        if task.disable_extra_networks:
            tags = ()
        self._vae.put(vae)
        applied, weights_changed = self._loras.apply(tags, loras)
        others = (extract_networks(text)[0] for text in _prompts(task, second_pass=not second_pass))
        bundled = [word for _, info in applied.loras for word in bundled_embeddings(Path(info.path))]
        known = [word for word in embeddings if word.name not in {own.name for own in bundled}]
        taught, words_changed = self._words.teach((prompt, negative, *others), [*known, *bundled])
        if weights_changed or words_changed:
            self._encoders.clear()
        return Prepared(
            prompt=prompt,
            negative=negative,
            encoder=self._encoder(task),
            loras=tuple((name, info.hash) for name, info in applied.loras),
            embeddings=tuple((info.name, info.hash) for info in taught),
            warnings=applied.warnings,
        )

    def _encoder(self, task: GenerationTask) -> PromptEncoder:
        key = task.clip_skip, task.emphasis
        if key not in self._encoders:
            if len(self._encoders) >= _ENCODERS_KEPT:
                self._encoders.clear()
            self._encoders[key] = PromptEncoder(self.model, clip_skip=task.clip_skip, emphasis=task.emphasis)
        return self._encoders[key]


def network_pairs(passes: Sequence[Prepared]) -> Pairs:
    """The infotext pairs that name the LoRAs and embeddings of the passes, each once."""
    return (
        *_hash_pair("Lora hashes", [pair for made in passes for pair in made.loras]),
        *_hash_pair("TI hashes", [pair for made in passes for pair in made.embeddings]),
    )


def _prompts(task: GenerationTask, *, second_pass: bool) -> tuple[str, str]:
    """Prompt and negative prompt of a pass; hires fix without its own repeats the first pass's."""
    hires = task.hires if second_pass else None
    prompt = (hires and hires.prompt) or task.prompt
    return prompt, (hires and hires.negative_prompt) or task.negative_prompt


def _hash_pair(key: str, named: Sequence[tuple[str, str]]) -> Pairs:
    """One infotext pair, ``name: hash, …`` without the signs that would break it."""
    if not named:
        return ()
    entries = {name.replace(":", "").replace(",", ""): digest for name, digest in named}
    return ((key, ", ".join(f"{name}: {digest}" for name, digest in entries.items())),)

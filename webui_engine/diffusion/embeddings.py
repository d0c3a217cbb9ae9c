"""Textual-inversion embeddings (Gal et al. 2022): words that stand for learnt vectors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from webui_engine.diffusion.hashing import sha256_of
from webui_engine.diffusion.model import Model
from webui_engine.errors import UNREADABLE

FOLDER = "embeddings"
SUFFIXES = (".pt", ".safetensors", ".bin")
BUNDLED = "bundle_emb."
_KEYS = ("emb_params", "clip_l")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingInfo:
    """One entry of ``GET embeddings``: shape is the vectors' width, vectors their number.

    tensor: the key of the vectors in a LoRA's file that they came with; "" for a file of their own.
    """

    name: str
    path: str
    shape: int
    vectors: int
    step: int | None = None
    sd_checkpoint: str | None = None
    sd_checkpoint_name: str | None = None
    tensor: str = ""

    @property
    def hash(self) -> str:
        """The 12 digits that the infotext names it by."""
        return sha256_of([Path(self.path)])[:12]


def scan_embeddings(folders: Iterable[Path]) -> tuple[EmbeddingInfo, ...]:
    """The readable embedding files below the folders, by name."""
    files = {
        path.stem: path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path.is_file() and not path.name.startswith(".")
    }
    described = (_describe(files[stem]) for stem in sorted(files, key=str.lower))
    return tuple(info for info in described if info is not None)


def bundled_embeddings(lora: Path) -> tuple[EmbeddingInfo, ...]:
    """The words that come with a LoRA file, under A1111's keys ``bundle_emb.NAME.string_to_param.*``."""
    if lora.suffix != ".safetensors":
        return ()
    with safe_open(lora, framework="pt") as stream:
        shapes = {
            key: stream.get_slice(key).get_shape()
            for key in stream.keys()  # noqa: SIM118 (no mapping)
            if key.startswith(BUNDLED)
        }
    return tuple(
        EmbeddingInfo(name=key.split(".")[1], path=str(lora), shape=shape[1], vectors=shape[0], tensor=key)
        for key, shape in shapes.items()
    )


def _describe(path: Path) -> EmbeddingInfo | None:
    try:
        vectors, about = read_vectors(path)
    except UNREADABLE:
        return None
    step = about.get("step")
    return EmbeddingInfo(
        name=path.stem,
        path=str(path),
        shape=vectors.shape[1],
        vectors=vectors.shape[0],
        step=step if isinstance(step, int) else None,
        sd_checkpoint=_text(about.get("sd_checkpoint")),
        sd_checkpoint_name=_text(about.get("sd_checkpoint_name")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def read_vectors(path: Path) -> tuple[torch.Tensor, dict[str, object]]:
    """The vectors (count, width) of a file and what else it says.

    Layouts: A1111's ``string_to_param``, ``emb_params`` or ``clip_l``, and diffusers' one tensor under its own name.
    """
    about = _state(path)
    inner = about.get("string_to_param", about)
    values = dict(inner) if isinstance(inner, dict) else about
    tensors = {key: value for key, value in values.items() if isinstance(value, torch.Tensor)}
    vectors = next((tensors[key] for key in _KEYS if key in tensors), None)
    if vectors is None:
        vectors = next(iter(tensors.values()))
    return vectors.detach().float().reshape(-1, vectors.shape[-1]), about


def _state(path: Path) -> dict[str, object]:
    if path.suffix == ".safetensors":
        return dict(load_file(path))
    return dict(torch.load(path, map_location="cpu", weights_only=True))


class TaughtWords:
    """The embeddings that one model's tokenizer and text encoder know at the moment."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._taught: tuple[tuple[str, str], ...] = ()
        self._tokenizer = model.tokenizer
        self._vectors = model.text_encoder.get_input_embeddings()

    def teach(
        self, texts: Sequence[str], embeddings: Sequence[EmbeddingInfo]
    ) -> tuple[list[EmbeddingInfo], bool]:
        """Teach just the embeddings that the texts name; also tells whether anything changed.

        Embeddings made for a text encoder of another width are passed over.
        """
        width = self._model.embedding_width
        named = [info for info in embeddings if info.shape == width and _is_named(info.name, texts)]
        names = tuple((info.name, info.path) for info in named)
        if names == self._taught:
            return named, False
        self._forget()
        for info in named:
            self._teach_one(info)
        self._taught = names
        return named, True

    def _teach_one(self, info: EmbeddingInfo) -> None:
        file = Path(info.path)
        vectors = load_file(file)[info.tensor].float() if info.tensor else read_vectors(file)[0]
        self._model.pipeline.load_textual_inversion({info.name: vectors}, token=info.name)

    def _forget(self) -> None:
        """Put the tokenizer and the vectors of the checkpoint back; those with more words were copies."""
        encoder = self._model.text_encoder
        encoder.set_input_embeddings(self._vectors)
        encoder.config.vocab_size = self._vectors.num_embeddings
        self._model.pipeline.tokenizer = deepcopy(self._tokenizer)


def _is_named(name: str, texts: Sequence[str]) -> bool:
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(word.search(text) for text in texts)

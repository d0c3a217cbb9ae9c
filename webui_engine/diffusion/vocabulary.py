"""The tokenizer of single-file checkpoints, which seldom carry one: CLIP's, from wherever this machine has it.

Searched in order: the file's own metadata; a folder ``<checkpoint>.tokenizer`` beside the file; a folder ``tokenizer``
beside it or in a models folder; the byte-pair table of an ``open_clip`` or ``clip`` package (read as data, never
imported) that is installed here, or in the virtual environment of the WebUI in whose folder the checkpoint lies; the
local cache of the Hugging Face libraries. Nothing is downloaded.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from webui_engine.diffusion.hashing import safetensors_metadata
from webui_engine.errors import MissingVocabulary

INSIDE = "sajin.tokenizer"
"""The key of a safetensors file's metadata under which our trainer writes a tokenizer."""
CACHED_MODEL = "openai/clip-vit-large-patch14"
_TABLE = "bpe_simple_vocab_16e6.txt.gz"
_PACKAGES = ("open_clip", "clip")
_LEVELS_UP = 5
_START, _END = "<|startoftext|>", "<|endoftext|>"
_MERGES = 49152 - 256 - 2
"""CLIP's vocabulary: 256 bytes, 256 bytes that end a word, this many merges, and two marks."""


def find_tokenizer(checkpoint: Path, models_dirs: Sequence[Path]) -> CLIPTokenizer:
    """The tokenizer for the checkpoint, or MissingVocabulary with the places searched."""
    written = safetensors_metadata(checkpoint).get(INSIDE)
    if written is not None:
        return _tokenizer_of(written)
    folders = _folders(checkpoint, models_dirs)
    for folder in folders:
        if _holds_tokenizer(folder):
            return _tokenizer_in(folder)
    table = next(_tables(checkpoint), None)
    if table is not None:
        return tokenizer_of_table(table)
    cached = _cached_folder()
    if cached is not None and _holds_tokenizer(cached):
        return _tokenizer_in(cached)
    searched = [
        *(str(folder) for folder in folders),
        "the packages open_clip and clip",
        f"the cache of {CACHED_MODEL}",
    ]
    raise MissingVocabulary(checkpoint, searched)


def tokenizer_of_table(table: Path) -> CLIPTokenizer:
    """CLIP's tokenizer from its published table of merges (gzip, a header line, then a pair a line)."""
    with gzip.open(table, "rt", encoding="utf-8") as lines:
        merges = [
            (first, second)
            for first, _, second in (line.strip().partition(" ") for line in islice(lines, 1, _MERGES + 1))
        ]
    letters = list(bytes_to_unicode().values())
    tokens = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *("".join(pair) for pair in merges),
        _START,
        _END,
    ]
    return CLIPTokenizer(
        vocab={token: index for index, token in enumerate(tokens)},
        merges=merges,
        bos_token=_START,
        eos_token=_END,
        unk_token=_END,
        pad_token=_END,
        model_max_length=77,
    )


def _folders(checkpoint: Path, models_dirs: Sequence[Path]) -> list[Path]:
    beside = [checkpoint.with_suffix(".tokenizer"), checkpoint.parent / "tokenizer"]
    return [*beside, *(directory / "tokenizer" for directory in models_dirs)]


def _holds_tokenizer(folder: Path) -> bool:
    return (folder / "tokenizer.json").is_file() or (folder / "merges.txt").is_file()


def _tokenizer_in(folder: Path) -> CLIPTokenizer:
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer


def _tokenizer_of(written: str) -> CLIPTokenizer:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokenizer.json").write_text(written, encoding="utf-8")
        return _tokenizer_in(Path(folder))


def _tables(checkpoint: Path) -> Iterator[Path]:
    specs = [find_spec(package) for package in _PACKAGES]
    places = [place for spec in specs if spec for place in spec.submodule_search_locations or []]
    for place in places:
        yield from Path(place).glob(_TABLE)
    for root in checkpoint.absolute().parents[:_LEVELS_UP]:
        for package in _PACKAGES:
            yield from root.glob(f"venv/[lL]ib*/python*/site-packages/{package}/{_TABLE}")
            yield from root.glob(f"venv/[lL]ib/site-packages/{package}/{_TABLE}")


def _cached_folder() -> Path | None:
    found = try_to_load_from_cache(CACHED_MODEL, "merges.txt")
    return Path(found).parent if isinstance(found, str) else None

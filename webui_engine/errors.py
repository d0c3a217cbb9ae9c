"""What can go wrong while pictures are made. The HTTP side has one table from these to status codes.

EngineError
├── UnknownName        a checkpoint, sampler, upscaler … that this engine does not have
├── BadValue           a value that cannot be used as given
│   └── WouldBeIgnored one that A1111 accepts and then does nothing with
├── CheckpointBroken   a model file that cannot be read
├── MissingVocabulary  a single-file checkpoint for which no tokenizer is at hand
├── OutOfMemory        the device's memory did not suffice
└── NotANumber         the networks gave values that are no numbers
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError


class EngineError(Exception):
    """Base of everything the engine raises on purpose."""


class UnknownName(EngineError):
    """kind (such as "sampler") has nothing called name; available is what it does have."""

    def __init__(self, kind: str, name: str, available: Sequence[str] = ()) -> None:
        self.kind, self.name, self.available = kind, name, tuple(available)
        known = ", ".join(self.available) or "none"
        super().__init__(f"unknown {kind} {name!r}; available: {known}")


class BadValue(EngineError):
    """field was given value, which cannot be used because of reason."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field, self.value, self.reason = field, value, reason
        super().__init__(f"{field}: {value!r} cannot be used: {reason}")


class WouldBeIgnored(BadValue):
    """A well-formed value that A1111 answers with 200 and a picture made without it; here it is refused."""


class CheckpointBroken(EngineError):
    """The model file or folder at path cannot be used because of reason, of which the first line is told."""

    def __init__(self, path: Path, reason: str | BaseException) -> None:
        text = str(reason).strip() or type(reason).__name__
        self.path, self.reason = path, text.partition("\n")[0]
        super().__init__(f"{path.name} cannot be loaded: {self.reason}")


class MissingVocabulary(CheckpointBroken):
    """A single-file checkpoint carries no tokenizer, and none was found in the places searched."""

    def __init__(self, path: Path, searched: Sequence[str]) -> None:
        self.searched = tuple(searched)
        super().__init__(
            path,
            "single files carry no tokenizer; put CLIP's vocab.json and merges.txt into one of: "
            + "; ".join(self.searched),
        )


class OutOfMemory(EngineError):
    """The device ran out of memory while doing what."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"out of memory while {what}; ask for a smaller picture or a smaller batch")


class NotANumber(EngineError):
    """stage ("unet" or "vae") gave NaN, which would decode to a black picture."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        super().__init__(
            f"the {stage} gave values that are not numbers; the checkpoint or its VAE may be broken"
        )


UNREADABLE = (
    SafetensorError,
    pickle.UnpicklingError,
    OSError,
    EOFError,
    ImportError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the libraries that read model files raise when a file is not what they take it for."""

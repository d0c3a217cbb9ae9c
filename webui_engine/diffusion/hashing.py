"""Hashes by which A1111 names model files."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

SHORT = 10
_BLOCK = 1 << 20


def sha256_of(files: Iterable[Path], *, skip: int = 0) -> str:
    """SHA-256 of the files' contents in the given order, in hex; skip bytes at the start of each are left out."""
    return _remembered(tuple((str(file), *_stamp(file)) for file in files), skip)


def safetensors_metadata(file: Path) -> dict[str, str]:
    """The ``__metadata__`` of a safetensors file; empty if there is none or the file is of another kind."""
    if file.suffix != ".safetensors":
        return {}
    try:
        with file.open("rb") as stream:
            header = json.loads(stream.read(_header_length(stream.read(8))))
    except (ValueError, OSError, struct.error, MemoryError, OverflowError):
        return {}
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    return {str(key): str(value) for key, value in metadata.items()}


def lora_hash(file: Path) -> str:
    """The 12 digits A1111 writes as a LoRA's hash: of the tensors alone, so that editing the metadata keeps it."""
    written = safetensors_metadata(file).get("sshs_model_hash")
    return (written or sha256_of([file], skip=_tensor_offset(file)))[:12]


def _tensor_offset(file: Path) -> int:
    if file.suffix != ".safetensors":
        return 0
    with file.open("rb") as stream:
        return 8 + _header_length(stream.read(8))


def _header_length(prefix: bytes) -> int:
    return int(struct.unpack("<Q", prefix)[0])


def _stamp(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=1024)
def _remembered(stamped: tuple[tuple[str, int, int], ...], skip: int) -> str:
    digest = hashlib.sha256()
    for path, _, _ in stamped:
        with Path(path).open("rb") as stream:
            stream.seek(skip)
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def legacy_hash(file: Path) -> str:
    """The 8 digits A1111 once named checkpoints by and ControlNets still carry: of 64 KiB from the second MiB on."""
    with file.open("rb") as stream:
        stream.seek(0x100000)
        return hashlib.sha256(stream.read(0x10000)).hexdigest()[:8]

"""Where the networks run, in which precision, and how much memory is left there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from webui_engine.errors import BadValue, OutOfMemory

KINDS = ("cpu", "cuda", "mps")
_CPU_IS_FULL = "can't allocate memory"


@dataclass(frozen=True, slots=True)
class Device:
    """A torch device and the precision used on it."""

    place: torch.device
    dtype: torch.dtype

    @property
    def is_cuda(self) -> bool:
        """Whether this is an NVIDIA or ROCm card."""
        return self.place.type == "cuda"


def choose_device(name: str | None = None) -> Device:
    """The device called name ("cpu", "cuda", "cuda:1", "mps"), or the best there is: CUDA, then MPS, then the CPU.

    Raises BadValue for a device that this machine, or the installed torch, has not got.
    """
    place = _named(name) if name else torch.device(_best_device())
    return Device(place, precision_on(place.type))


def precision_on(kind: str) -> torch.dtype:
    """Half precision on "cuda"; single precision on "mps" and "cpu", where half precision is inexact or slow."""
    return torch.float16 if kind == "cuda" else torch.float32


def _named(name: str) -> torch.device:
    if name.partition(":")[0] not in KINDS:
        raise BadValue("device", name, f"known are {', '.join(KINDS)}")
    try:
        place = torch.device(name)
        torch.empty(1, device=place)
    except (AssertionError, RuntimeError) as error:
        raise BadValue("device", name, "this machine, or the installed torch, has no such device") from error
    return place


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def release_memory(device: Device) -> None:
    """Hand what is no longer used back to the device."""
    gc.collect()
    if device.is_cuda:
        torch.cuda.empty_cache()


@contextmanager
def memory_guard(what: str) -> Iterator[None]:
    """Raise OutOfMemory(what) where torch would raise its own error, which on the CPU is a plain RuntimeError."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(what) from error
    except RuntimeError as error:
        if _CPU_IS_FULL not in str(error):
            raise
        raise OutOfMemory(what) from error


def cuda_memory(device: Device) -> dict[str, dict[str, int]] | None:
    """CUDA memory in bytes in the groups of A1111's ``GET memory``, or None without CUDA."""
    if not device.is_cuda:
        return None
    free, total = torch.cuda.mem_get_info(device.place)
    stats = dict(torch.cuda.memory_stats(device.place))
    return {
        "system": {"free": free, "used": total - free, "total": total},
        **{group: _now_and_peak(stats, f"{name}_bytes.all") for group, name in _MEMORY_GROUPS.items()},
        "events": {"retries": stats.get("num_alloc_retries", 0), "oom": stats.get("num_ooms", 0)},
    }


_MEMORY_GROUPS = {
    "active": "active",
    "allocated": "allocated",
    "reserved": "reserved",
    "inactive": "inactive_split",
}


def _now_and_peak(stats: dict[str, int], key: str) -> dict[str, int]:
    return {"current": stats.get(f"{key}.current", 0), "peak": stats.get(f"{key}.peak", 0)}

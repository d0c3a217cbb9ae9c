"""The machine's memory in bytes, by A1111's arithmetic: "used" is this process, "total" follows from its share."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path


def ram() -> dict[str, float]:
    """free, used and total bytes; free is the total less what this process holds."""
    total = _total()
    used = _resident()
    return {"free": float(total - used), "used": used, "total": float(total)}


def _total() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _resident() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

"""What the studio costs while nobody uses it, and how soon its command answers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.processes import engine_alone, whole_studio
from bench.rows import Row

MEMORY_LIMIT_MB = 350
HELP_LIMIT_SECONDS = 0.5
IDLE_SECONDS = 8


def measure(folder: Path, rounds: int) -> list[Row]:
    """Memory of API, worker and pages at rest, with all their children; seconds of `sajin --help`."""
    with engine_alone(folder) as engine, whole_studio(folder, engine) as studio:
        time.sleep(IDLE_SECONDS)
        rows = [memory_row(name, pid) for name, pid in sorted(studio.pids.items())]
    seconds = statistics.median(help_seconds() for _ in range(rounds))
    return [
        *rows,
        Row(
            what="sajin --help",
            ours=f"{seconds:.2f} s",
            plain="",
            value=seconds,
            limit=HELP_LIMIT_SECONDS,
            unit=" s",
        ),
    ]


def memory_row(name: str, pid: int) -> Row:
    """Resident memory of a process and its children."""
    process = psutil.Process(pid)
    resident = sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 1e6
    return Row(
        what=f"idle memory, {name}",
        ours=f"{resident:.0f} MB",
        plain="",
        value=resident,
        limit=MEMORY_LIMIT_MB,
        unit=" MB",
    )


def help_seconds() -> float:
    """Seconds until the help is printed."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "command_line", "--help"], check=True, capture_output=True)
    return time.perf_counter() - started

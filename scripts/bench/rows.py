"""The lines of the benchmark table."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("torch", "diffusers", "dbos", "gradio", "flask")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement against its limit. ours, plain: with their unit; value, limit: what is compared."""

    what: str
    ours: str
    plain: str
    value: float
    limit: float
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        verdict = "met" if self.met else "**missed**"
        return (
            self.what,
            self.ours,
            self.plain,
            f"{self.value:.2f}{self.unit}",
            f"{self.limit:g}{self.unit}",
            verdict,
        )


HEADER = ("what", "ours", "plain", "measured", "limit", "")


def ratio_row(what: str, ours: Sequence[float], plain: Sequence[float], limit: float, note: str = "") -> Row:
    """A row of seconds, measured in turn: the median of the ratios of neighbours, and both medians."""
    return Row(
        what=what,
        ours=spoken(statistics.median(ours)),
        plain=spoken(statistics.median(plain)),
        value=statistics.median(one / other for one, other in zip(ours, plain, strict=True)),
        limit=limit,
        note=note,
    )


def spoken(seconds: float) -> str:
    """Seconds as a person reads them."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def machine() -> str:
    """One paragraph about where this was measured."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]
    packages = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{len(models)} cores of {models[0] if models else platform.machine()}, {int(memory) / 1e6:.0f} GB memory, "
        f"{platform.system()}, Python {platform.python_version()}, {packages}."
    )


GPU_NOTE = (
    "## On a GPU",
    "",
    "**Not measured: no GPU was at hand.** What is claimed for one (800 training images in 20 seconds and three times",
    "the plain loop, a portrait in 5 seconds and no slower than plain) is a goal, not a number. Both scripts run on a",
    "processor at a small size, in the tests too, and on a CUDA card at the size of Stable Diffusion 1.5 with random",
    "weights:",
    "",
    "    python scripts/bench_training.py            # --compiled, --batch, --steps, --json",
    "    python scripts/bench_pipeline.py            # --batch, --rounds, --json",
)


def markdown(rows: Sequence[Row], day: str) -> str:
    """The page docs/benchmarks.md."""
    table = [HEADER, ("---",) * len(HEADER), *(row.cells() for row in rows)]
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Made by `make bench` on {day}: {machine()}",
            "",
            "Ours and plain are measured in turn in one run. A ratio is the median of the ratios of neighbouring",
            "measurements, so a slow minute of the machine weighs on both sides.",
            "",
            *(f"| {' | '.join(cells)} |" for cells in table),
            "",
            *notes,
            "",
            *GPU_NOTE,
            "",
        ]
    )

"""`make bench`: measures everything, prints one table and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import engine_picture, footprint, gif, id_photo, intake, learning, pool, studio_job
from bench.rows import HEADER, Row, markdown, ratio_row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
TRAINING_LIMIT = 1.0


def training_step(_folder: Path, rounds: int) -> list[Row]:
    """The ratios of one training step against the plain diffusers and peft loop on the same batch."""
    from bench.training_step import compare

    note = "the plain loop encodes its batch at every step, as the diffusers example does; ours once, before the first"
    spared = "the plain loop gets its batch encoded too, so that the learning alone is compared"
    return [
        ratio_row("a training step", *compare(rounds), TRAINING_LIMIT, note),
        ratio_row("a training step, nothing encoded", *compare(rounds, cached=True), TRAINING_LIMIT, spared),
    ]


MEASUREMENTS: dict[str, Callable[[Path, int], list[Row]]] = {
    "job": studio_job.measure,
    "engine": engine_picture.measure,
    "training": training_step,
    "learning": learning.measure,
    "intake": intake.measure,
    "id-photo": id_photo.measure,
    "gif": gif.measure,
    "pool": pool.measure,
    "footprint": footprint.measure,
}


def main() -> int:
    """Measure what is named, or everything; 0 when every limit is met."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], help="everything if left out")
    line.add_argument("--rounds", type=int, default=7)
    given = line.parse_args()
    console = Console(highlight=False)
    rows: list[Row] = []
    for name in given.names or MEASUREMENTS:
        with tempfile.TemporaryDirectory() as folder, console.status(f"measuring: {name}"):
            rows += MEASUREMENTS[name](Path(folder), given.rounds)
    show(console, rows)
    if not given.names:
        PAGE.write_text(markdown(rows, dt.date.today().isoformat()), encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


def show(console: Console, rows: list[Row]) -> None:
    """Print the table."""
    table = Table(*HEADER, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(cell.replace("**", "") for cell in row.cells()))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())

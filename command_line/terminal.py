"""What a person sees of a long job: lines, bars and tables on standard error; standard output stays for results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

MARKS = {"fit": "[green]good[/]", "warning": "[yellow]usable[/]", "unfit": "[red]left out[/]"}


class Terminal:
    """Standard error as rich writes it."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False)

    def say(self, line: str) -> None:
        """One line."""
        self.console.print(line, markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[dict[str, Any]], None]]:
        """A progress bar; the function it gives shows the state of a job or training."""
        columns = (
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=1.0, left="")

            def look(state: dict[str, Any]) -> None:
                phase = state.get("phase_text") or state.get("stage") or ""
                label = f"{title}: {phase}" if phase else title
                progress.update(
                    task, completed=state["progress"], description=label, left=time_left(state["eta_seconds"])
                )

            yield look

    @contextmanager
    def transfer(self, title: str) -> Iterator[Callable[[int, int | None], None]]:
        """A bar of a download; the function it gives shows how many bytes are there, and of how many."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def verdicts(self, photos: dict[str, Any]) -> None:
        """A table of photos with verdict, reason and remedy."""
        table = Table("photo", "verdict", "why", "what helps", box=None, pad_edge=False)
        for photo in photos["items"]:
            whys = " ".join(reason["message"] for reason in photo["reasons"])
            remedies = " ".join(reason["remedy"] for reason in photo["reasons"])
            table.add_row(photo["filename"], MARKS[photo["status"]], whys, remedies)
        for file in photos["refused"]:
            table.add_row(file["filename"], "[red]refused[/]", file["message"], "")
        self.console.print(table)


def time_left(seconds: float | None) -> str:
    """A remaining time in words, "" if it is not known."""
    if seconds is None:
        return ""
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


def readable_size(size: int) -> str:
    """A number of bytes in words."""
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"

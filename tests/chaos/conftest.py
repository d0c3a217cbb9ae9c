"""The chaos log: one for all tests of this folder, in pytest's own temporary folder, shown at the end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Note = Callable[[str], None]


@pytest.fixture(scope="session")
def chaos_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("chaos-log")) / "chaos.log"


@pytest.fixture(scope="session")
def note(chaos_log: Path) -> Iterator[Note]:
    """Writes a line with the time to the chaos log."""
    started = time.monotonic()
    with chaos_log.open("w", encoding="utf-8") as file:

        def write(line: str) -> None:
            print(f"{time.monotonic() - started:7.1f} s  {line}", file=file, flush=True)

        yield write


@pytest.fixture(autouse=True)
def shown_at_the_end(
    chaos_log: Path, note: Note, record_property: Callable[[str, str], None], request: pytest.FixtureRequest
) -> None:
    """Begin a paragraph of the log for each test, and tell pytest's summary where the log is."""
    note(f"-- {request.node.name}")
    record_property("log", str(chaos_log))

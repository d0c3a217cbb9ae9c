"""What all tests share: quiet threads, an honest account at the end, and a whole studio in real processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running_studio import RunningStudio, run_studio

STUDIO_GROUP = "running_studio"


def pytest_configure() -> None:
    """Give every process of a test run one thread for numbers; several would fight over two cores."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests that share the running studio in one xdist process, so that it is started once."""
    for item in items:
        if STUDIO_GROUP in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(STUDIO_GROUP))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the logs that tests have kept, and name at the very end everything that was left out, and why."""
    for log in _kept_logs(terminalreporter):
        terminalreporter.section(f"log: {log}", sep="-")
        terminalreporter.write_line(log.read_text("utf-8", "replace").rstrip())
    left_out = terminalreporter.stats.get("skipped", [])
    if left_out:
        terminalreporter.section("could not run", sep="-")
    for report in left_out:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"could not run: {report.nodeid}: {reason.removeprefix('Skipped: ')}")


def _kept_logs(terminalreporter: pytest.TerminalReporter) -> list[Path]:
    """The files that tests have recorded as their property "log"."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    return sorted({Path(str(value)) for name, value in properties if name == "log"})


@pytest.fixture(scope="session")
def running_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """Engine, worker and API as `sajin up` starts them, on free ports and a data folder of their own."""
    with run_studio(Path(tmp_path_factory.mktemp("studio"))) as studio:
        yield studio

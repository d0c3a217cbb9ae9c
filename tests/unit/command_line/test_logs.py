"""Structured log lines are made readable for a person at a terminal; all others pass as they are."""

from __future__ import annotations

import os

import pytest

from command_line.logs import Unfailing, readable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            '{"event": "worker ready", "level": "info", "timestamp": "t", "servers": 2}',
            "worker ready servers=2",
        ),
        ('{"event": "lost", "level": "error"}', "error: lost"),
        ('{"other": 1}', '{"other": 1}'),
        ("[1, 2]", "[1, 2]"),
        ("Ready at http://127.0.0.1:7859", "Ready at http://127.0.0.1:7859"),
    ],
)
def test_a_line_is_shown_as_a_person_reads_it(line: str, shown: str) -> None:
    assert readable(line) == shown


def test_a_log_that_nobody_reads_any_more_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as broken:
        log = Unfailing(broken)
        assert log.write("a line") == 6
        log.flush()
        with pytest.raises(BrokenPipeError):
            broken.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), broken.fileno())

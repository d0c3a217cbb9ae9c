"""Lines and log of a process on a leash."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.kohya.process import LOG_LINES, Running, run


@contextmanager
def running(script: str, folder: Path) -> Iterator[Running]:
    held = os.open(folder, os.O_RDONLY)
    try:
        with run([sys.executable, "-u", "-X", "utf8", "-c", script], folder, held) as process:
            yield process
    finally:
        os.close(held)


def lines_of(script: str, folder: Path) -> list[str]:
    with running(script, folder) as process:
        found = list(iter(lambda: process.next_line(30.0), None))
        return [line for line in found if line]


def test_carriage_returns_end_lines_as_line_feeds_do_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    script = "import sys; sys.stderr.write('\\r  0%|\\r 50%|\\r\\n\\n100%|')"

    assert lines_of(script, tmp_path) == ["  0%|", " 50%|", "100%|"]


def test_both_streams_are_read_and_japanese_comes_whole(tmp_path: Path) -> None:
    script = "import sys; print('学習ステップ数: 8'); print('エラー', file=sys.stderr)"

    assert sorted(lines_of(script, tmp_path)) == ["エラー", "学習ステップ数: 8"]


def test_bytes_that_are_no_text_do_not_stop_the_reading(tmp_path: Path) -> None:
    script = "import os; os.write(1, b'\\xff\\xfe\\nafter\\n')"

    assert lines_of(script, tmp_path)[-1] == "after"


def test_output_without_an_end_of_line_is_handed_on_in_pieces(tmp_path: Path) -> None:
    script = "import sys; sys.stdout.write('x' * 1_000_000)"

    assert sum(map(len, lines_of(script, tmp_path))) == 1_000_000


def test_the_log_keeps_the_last_lines_without_the_bars(tmp_path: Path) -> None:
    script = (
        f"for number in range({LOG_LINES} + 50): print('line', number); print(f'{{number:3}}%|  | 1/2 [')"
    )
    with running(script, tmp_path) as process:
        while process.next_line(30.0) is not None:
            pass
        log = process.log().splitlines()

    assert len(log) == LOG_LINES
    assert log[-1] == f"line {LOG_LINES + 49}"


def test_the_command_runs_in_its_folder_and_its_status_is_told(tmp_path: Path) -> None:
    with running("import os, sys; print(os.getcwd()); sys.exit(3)", tmp_path) as process:
        assert process.next_line(30.0) == str(tmp_path)
        assert process.status() == 3


def test_a_signal_is_told_as_a_shell_tells_it(tmp_path: Path) -> None:
    with running("import os; os.kill(os.getpid(), 9)", tmp_path) as process:
        assert process.status() == 128 + 9

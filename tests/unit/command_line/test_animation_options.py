"""The options of `sajin portrait` for animations: what does not go together is refused before anything is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import persons


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--budget-kb", "500"], "--format gif"),
        (["--budget-kb", "500", "--format", "mp4"], "--format gif"),
        (["--budget-kb", "3", "--format", "gif"], "16"),
        (["--format", "avi"], "avi"),
    ],
)
def test_a_budget_or_format_that_cannot_be_is_refused_at_once(
    tmp_path: Path, options: list[str], reason: str
) -> None:
    (tmp_path / "one.jpg").write_bytes(persons.astronaut(1)[0])
    command = [sys.executable, "-m", "command_line", "portrait", "--photos", str(tmp_path), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert reason in ended.stderr

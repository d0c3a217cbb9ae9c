"""What a command says in the end with --json: one JSON object as the last line, whatever happened."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from command_line.errors import CommandError, JobFailed
from command_line.terminal import Terminal


@contextmanager
def reported(report: dict[str, Any], terminal: Terminal, *, as_json: bool) -> Iterator[None]:
    """Around the work that fills report; adds its "seconds", and its "error" {"code", "message"} if it failed.

    JobFailed is told in a line and ends here. Raises every other CommandError on, after it was reported.
    """
    started = time.monotonic()
    try:
        yield
    except JobFailed as error:
        report["error"] = {"code": error.code, "message": str(error)}
        terminal.say(f"sajin: {error}")
    except CommandError as error:
        if as_json:
            failure = {"code": "cannot_start", "message": str(error)}
            print(json.dumps({**report, "error": failure}, ensure_ascii=False))
        raise
    report["seconds"] = round(time.monotonic() - started, 2)
    if as_json:
        print(json.dumps(report, ensure_ascii=False))

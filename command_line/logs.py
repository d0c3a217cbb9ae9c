"""How our processes log, and how a person at a terminal reads it."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

OWN_FIELDS = ("event", "level", "timestamp")


class Unfailing:
    """A stream whose lines are lost, and nothing else, when nobody reads them any more.

    A supervisor that was killed leaves a broken pipe; a job must not fail because it could not tell of itself.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text if that can be done; its length."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send on what was written if that can be done."""
        with suppress(OSError):
            self._stream.flush()


def configure_logs(level: str) -> None:
    """Our own events at level and above as JSON, one a line; of libraries only what goes wrong."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Unfailing(sys.stderr))),
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # a server that is not up yet is no news


def readable(line: str) -> str:
    """A structured line as a person reads it: the event, then its facts; any other line as it is."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict) or "event" not in fields:
        return line
    level = "" if fields.get("level") in ("info", "debug", None) else f"{fields['level']}: "
    facts = " ".join(f"{name}={value}" for name, value in fields.items() if name not in OWN_FIELDS)
    return f"{level}{fields['event']} {facts}".rstrip()

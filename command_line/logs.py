"""How our processes log, and how a person at a terminal reads it."""

from __future__ import annotations

import json
import logging

from studio.logs import configure_logs as configure_structured_logs

OWN_FIELDS = ("event", "level", "timestamp")


def configure_logs(level: str) -> None:
    """Structured lines of our own events at level and above; of libraries only what goes wrong."""
    configure_structured_logs(level)
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

"""Logs: one JSON object a line on standard output."""

from __future__ import annotations

import logging

import structlog


def configure_logs(level: str) -> None:
    """Write log lines of this level and above, with time and level, as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )

"""What every new record gets: an id nobody can guess, and the time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime


def new_id() -> str:
    """A random id of 32 hexadecimal digits."""
    return uuid.uuid4().hex


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)

"""Turns what may stand in the way of a start into one line and an exit status, never a traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from command_line.errors import CannotStart, CommandError

if TYPE_CHECKING:
    from studio.settings import Settings


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print what is known to go wrong in one line on standard error and leave with its exit status."""
    try:
        yield
    except CommandError as error:
        _leave(str(error), error.exit_status)
    except ModuleNotFoundError as error:
        _leave(f"the package {error.name} is missing; run: make setup", 2)
    except Exception as error:
        line = _known(error)
        if line is None:
            raise
        _leave(line, 2)


def read_settings(**overrides: object) -> Settings:
    """The settings of the environment, with overrides. Raises CannotStart that names the wrong one."""
    from pydantic import ValidationError

    from studio.settings import Settings

    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # checked by pydantic, reported below
    except ValidationError as error:
        first = error.errors()[0]
        name = "SAJIN_" + "_".join(str(part) for part in first["loc"]).upper()
        raise CannotStart(f"{name} cannot be used: {first['msg']}") from error


def _known(error: Exception) -> str | None:
    from studio.errors import StudioError

    if isinstance(error, StudioError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is in use by another process; choose another one"
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.ENOSPC):
        return f"{error.strerror}: {error.filename}"
    return None


def _leave(line: str, status: int) -> None:
    print(f"sajin: {line}", file=sys.stderr)
    sys.exit(status)

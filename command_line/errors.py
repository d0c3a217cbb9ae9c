"""What the command line tells people in one line, with the exit status that goes with it.

CommandError
├── CannotStart     something on this machine must change first; exit status 2
└── JobFailed       the work was begun and did not succeed; exit status 1
"""

from __future__ import annotations

from typing import ClassVar


class CommandError(Exception):
    """One clear line for the person at the terminal."""

    exit_status: ClassVar[int] = 1


class CannotStart(CommandError):
    """A port, a dependency, a setting or the data folder stands in the way; the line says what to change."""

    exit_status = 2


class JobFailed(CommandError):
    """The studio refused or failed the request. code: the stable code of the API, "" without one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code

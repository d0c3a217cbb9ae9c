"""The single processes of the studio, each in the foreground."""

from __future__ import annotations

import errno
import os
import sys

from command_line.errors import CannotStart
from command_line.logs import configure_logs
from command_line.programs import engine_command, pages_command
from studio.settings import Settings


def run_api(settings: Settings) -> None:
    """Serve the API until SIGTERM or SIGINT. Raises CannotStart when its port is taken."""
    from flask_api import server

    configure_logs(settings.log_level)
    try:
        server.run(settings)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        line = f"port {settings.api_port} is in use by another process; set SAJIN_API_PORT to another one"
        raise CannotStart(line) from error


def run_worker(settings: Settings) -> None:
    """Work on jobs until SIGTERM or SIGINT."""
    from studio import worker

    configure_logs(settings.log_level)
    sys.exit(worker.run(settings))


def run_pages(settings: Settings) -> None:
    """Become the pages' process."""
    _become(pages_command(settings))


def run_engine(settings: Settings) -> None:
    """Become the embedded engine's process."""
    _become(engine_command(settings))


def _become(command: tuple[str, ...]) -> None:
    os.execv(command[0], command)

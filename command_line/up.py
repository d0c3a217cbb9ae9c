"""`sajin up`: the whole studio under one supervisor, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading

from rich.console import Console

from command_line.logs import readable
from command_line.preflight import check_machine
from command_line.programs import api_address, pages_address, studio_programs
from command_line.readiness import wait_until_ready
from command_line.supervisor import Supervisor
from studio.settings import Settings

LOOK_SECONDS = 0.3
COLOURS = {"engine": "magenta", "worker": "cyan", "api": "green", "ui": "yellow", "sajin": "bold"}


class Terminal:
    """Writes whole lines to standard error, each behind the name of who says it."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)

    def log(self, name: str, line: str) -> None:
        """One line of a program."""
        self._console.print(f"{name:>6} | {readable(line)}", style=COLOURS.get(name, ""))

    def say(self, line: str) -> None:
        """One line of the supervisor."""
        self.log("sajin", line)


def run(settings: Settings) -> None:
    """Start everything that is needed, say where it is, and keep it running until SIGINT or SIGTERM.

    Raises CannotStart when something on this machine must change first.
    """
    check_machine(settings)
    stop, terminal = threading.Event(), Terminal()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    terminal.say("starting; the first start takes about half a minute")
    with Supervisor(studio_programs(settings), say=terminal.say, log=terminal.log) as supervisor:
        if wait_until_ready(supervisor, stop.is_set):
            announce(settings, terminal)
        while not stop.wait(LOOK_SECONDS):
            supervisor.tend()
        terminal.say("stopping")
    terminal.say("stopped")


def announce(settings: Settings, terminal: Terminal) -> None:
    """Say where the studio is, and what kind of model it shows."""
    terminal.say(f"Sajin is ready at {pages_address(settings)}  (API: {api_address(settings)}/docs)")
    if settings.uses_embedded_engine:
        terminal.say(
            "It runs on its own small demonstration model: everything works, but likeness and detail are "
            "not those of a real checkpoint. Connect a WebUI with SAJIN_WEBUI_URLS=http://host:7860."
        )
    terminal.say("Ctrl-C stops it.")

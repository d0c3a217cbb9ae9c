"""What must hold on this machine before processes are started; each fault is one line that says what to change."""

from __future__ import annotations

import importlib.util
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from command_line.errors import CannotStart

if TYPE_CHECKING:
    from studio.settings import Settings

STUDIO_PACKAGES = ("dbos", "sqlalchemy", "apiflask", "waitress", "gradio", "requests", "mediapipe", "cv2")
ENGINE_PACKAGES = ("torch", "diffusers", "transformers", "peft")


def check_machine(settings: Settings) -> None:
    """Raise CannotStart for the first thing that would keep the studio from running."""
    for fault in faults(settings):
        raise CannotStart(fault)


def faults(settings: Settings) -> Iterator[str]:
    """Everything that would keep the studio from running, one sentence each."""
    yield from missing_packages(STUDIO_PACKAGES)
    if settings.uses_embedded_engine:
        yield from missing_packages(ENGINE_PACKAGES)
        yield from missing_checkpoint(settings.training_checkpoint)
    yield from unusable_folder(settings.data_folder)
    yield from taken_ports(settings)


def missing_packages(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each package that is not installed."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            yield f"the package {name} is missing; run: make setup"


def missing_checkpoint(checkpoint: Path | None) -> Iterator[str]:
    """A sentence if the checkpoint for the embedded engine is not there."""
    if checkpoint is not None and not checkpoint.exists():
        yield f"there is no checkpoint at {checkpoint}; correct SAJIN_CHECKPOINT, or leave it unset"


def unusable_folder(folder: Path) -> Iterator[str]:
    """A sentence if the data folder cannot be made, read or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        next(folder.iterdir(), None)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"sajin")
    except OSError as error:
        yield f"the data folder {folder} cannot be used ({error.strerror}); set SAJIN_DATA to another one"


def taken_ports(settings: Settings) -> Iterator[str]:
    """A sentence for each port of the studio that another process holds or that two settings share."""
    ports = {"SAJIN_API_PORT": settings.api_port, "SAJIN_UI_PORT": settings.ui_port}
    if settings.uses_embedded_engine:
        ports["SAJIN_ENGINE_PORT"] = settings.engine_port
    for name, port in ports.items():
        if list(ports.values()).count(port) > 1:
            yield f"port {port} is given to two parts of the studio; set {name} to another one"
        elif not is_free(settings.api_host if name == "SAJIN_API_PORT" else "127.0.0.1", port):
            yield f"port {port} is in use by another process; set {name} to another one"


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of this machine that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

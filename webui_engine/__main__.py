"""``python -m webui_engine``: the engine as a server process.

The port is taken first, so that a port in use is told at once; connections are refused until a checkpoint is in memory,
so the first answer anybody gets comes from a server that can make pictures.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine
    from webui_engine.http.services import Services

BUNDLED = Path(__file__).parent / "models"
DEFAULT_CHECKPOINT = "sajin-tiny"
DEFAULT_PORT = 7859
OPTIONS_FILE = "options.json"
THREADS = 48
EXIT_PORT_IN_USE = 2
EXIT_CANNOT_START = 3

log = logging.getLogger("webui_engine")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    line = argparse.ArgumentParser(
        prog="python -m webui_engine", description="A WebUI-compatible picture server."
    )
    line.add_argument("--host", default="127.0.0.1")
    line.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one and prints it")
    line.add_argument(
        "--models",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="in A1111's layout; repeatable",
    )
    line.add_argument("--lora-dir", type=Path, action="append", default=[], metavar="DIR", help="repeatable")
    line.add_argument(
        "--checkpoint",
        metavar="NAME",
        help="title, stem, hash or path; if not given the one chosen last, else the bundled one",
    )
    line.add_argument(
        "--data", type=Path, default=Path("data/engine"), metavar="DIR", help="options and saved pictures"
    )
    line.add_argument("--api-auth", metavar="USER:PASS", help="HTTP Basic for the core routes")
    line.add_argument("--device", metavar="NAME", help="cpu, cuda, mps; the best there is if not given")
    return line


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit status."""
    given = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        listening = _bound(given.host, given.port)
    except OSError as error:
        print(f"The port {given.port} on {given.host} cannot be used: {error.strerror}.", file=sys.stderr)
        return EXIT_PORT_IN_USE
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _serve(given, listening)
    except KeyboardInterrupt:
        return 0
    finally:
        listening.close()


def _bound(host: str, port: int) -> socket.socket:
    """A socket that holds the address without taking connections yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


def _serve(given: argparse.Namespace, listening: socket.socket) -> int:
    import transformers

    transformers.logging.set_verbosity_error()
    from waitress.server import create_server

    from webui_engine.app import create_app
    from webui_engine.errors import EngineError

    try:
        held = _services(given, listening)
    except (EngineError, ValueError, OSError) as error:
        print(f"The engine cannot start: {error}", file=sys.stderr)
        return EXIT_CANNOT_START
    server = create_server(create_app(held), sockets=[listening], threads=THREADS, ident="sajin")
    host, port = listening.getsockname()[:2]
    print(f"Ready at http://{host}:{port} with {held.engine.loaded.title}", flush=True)
    server.run()
    return 0


def _services(given: argparse.Namespace, listening: socket.socket) -> Services:
    """The engine with its checkpoint in memory, and all that stands around it."""
    from webui_engine.diffusion.engine import Engine
    from webui_engine.http.access import Access
    from webui_engine.http.options import CHECKPOINT, OptionsStore
    from webui_engine.http.services import assemble

    access = Access.parse(given.api_auth)
    given.data.mkdir(parents=True, exist_ok=True)
    options = OptionsStore(given.data / OPTIONS_FILE)
    models = (BUNDLED, *given.models)
    elsewhere = _checkpoint_at(given.checkpoint)
    engine = Engine(
        models, tuple(given.lora_dir), checkpoints=(elsewhere,) if elsewhere else (), device=given.device
    )
    asked = elsewhere.name if elsewhere else given.checkpoint
    engine.load(asked or _still_there(engine, options.all()[CHECKPOINT]) or DEFAULT_CHECKPOINT)
    return assemble(
        engine, options, data=given.data, models_dirs=models, access=access, flags=_flags(given, listening)
    )


def _checkpoint_at(name: str | None) -> Path | None:
    """The checkpoint that name is the path of; None when it is a name in the models folders."""
    from webui_engine.diffusion.checkpoints import is_checkpoint

    path = Path(name or "").absolute()
    return path if name and is_checkpoint(path) else None


def _still_there(engine: Engine, title: str | None) -> str | None:
    """The checkpoint that was chosen last, unless its file has gone."""
    name = (title or "").partition(" [")[0]
    if not name or any(item.answers_to(name) for item in engine.checkpoints()):
        return name
    log.warning("the checkpoint chosen last, %s, is not there any more", title)
    return None


def _flags(given: argparse.Namespace, listening: socket.socket) -> dict[str, object]:
    """A1111's flags with what is true of this process; the password is left out."""
    table = resources.files("webui_engine.http").joinpath("flags.json").read_text("utf-8")
    flags: dict[str, object] = json.loads(table)
    folder = given.lora_dir[0] if given.lora_dir else BUNDLED / "Lora"
    own = {
        "data_dir": str(given.data.resolve()),
        "lora_dir": str(folder.resolve()),
        "port": str(listening.getsockname()[1]),
        "server_name": given.host,
    }
    return flags | own


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

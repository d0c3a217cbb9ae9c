"""The API process: a studio behind waitress."""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

import structlog
import waitress

from flask_api.app import UPLOAD_LIMIT, create_app
from flask_api.context import LISTENERS
from flask_api.events import MAX_LISTENERS
from studio.service import open_studio
from studio.settings import Settings

# Every event stream holds a thread; these stay free for everything else.
FREE_THREADS = 12

log = structlog.get_logger("flask_api")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises OSError when the port is taken, StorageError or BrokenLibrary when the studio cannot be opened.
    """
    listening = bind(settings.api_host, settings.api_port)
    with open_studio(settings) as studio:
        app = create_app(studio, settings.api_hosts)
        server = waitress.create_server(
            app,
            sockets=[listening],
            threads=MAX_LISTENERS + FREE_THREADS,
            max_request_body_size=UPLOAD_LIMIT + 1024 * 1024,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        signal.signal(signal.SIGTERM, _leave)
        log.info("api ready", address=f"http://{settings.api_host}:{settings.api_port}")
        try:
            server.run()
        except (KeyboardInterrupt, SystemExit):
            log.info("api stopping")
        finally:
            app.extensions[LISTENERS].stop()
            server.close()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError (EADDRINUSE) when another process has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)

"""The child process that looks at faces: ``python -m studio.faces.child FD``.

It reads (task, arguments) from the connection FD and answers (True, result) or (False, error), one after the other,
until the parent closes its end. Heavy libraries and their memory stay here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

Request = tuple[str, tuple[Any, ...]]
Answer = tuple[bool, Any]

REMEMBERED_PORTRAITS = 8
"""A photo is looked at again for each document made of it, and a made photo when it is checked."""


def serve(connection: Connection, tasks: Mapping[str, Callable[..., Any]]) -> None:
    """Answer requests until the other end is closed."""
    while True:
        try:
            task, arguments = connection.recv()
        except EOFError:
            return
        connection.send(_answer(tasks[task], arguments))


def _answer(task: Callable[..., Any], arguments: tuple[Any, ...]) -> Answer:
    try:
        return True, task(*arguments)
    except Exception as error:  # noqa: BLE001 (every error belongs to the caller)
        return False, error


def main() -> None:
    """Serve the connection whose file descriptor is the first argument."""
    from studio.faces.check import check
    from studio.faces.frames import frame_faces
    from studio.faces.likeness import embedding_of, likeness, resemblance, variety
    from studio.faces.portrait import portrait
    from studio.faces.surroundings import surroundings

    tasks: dict[str, Callable[..., Any]] = {
        "check": check,
        "embedding": embedding_of,
        "likeness": likeness,
        "frame_faces": frame_faces,
        "portrait": lru_cache(REMEMBERED_PORTRAITS)(portrait),
        "resemblance": resemblance,
        "surroundings": surroundings,
        "variety": variety,
    }
    serve(Connection(int(sys.argv[1])), tasks)


if __name__ == "__main__":
    main()

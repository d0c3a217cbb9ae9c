"""When the data folder or a database cannot be used for a while: lose nothing, and go on afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog

from studio.errors import StorageError
from studio.worker.stopping import Stopping

LOG = structlog.get_logger()
REST_SECONDS = 2.0

P = ParamSpec("P")
R = TypeVar("R")


def persevering(step: Callable[P, R], stopping: Stopping) -> Callable[P, R]:
    """step, begun anew for as long as not even its end can be written down; so every step must bear repeating.

    It never returns once the worker was asked to stop.
    """

    def steadfast(*args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            stopping.park_if_asked()
            try:
                return step(*args, **kwargs)
            except StorageError as error:
                LOG.error("standing still", work=args[0] if args else None, error=str(error))
                stopping.wait_until_asked(REST_SECONDS)

    return steadfast

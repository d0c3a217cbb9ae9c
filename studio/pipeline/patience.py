"""Trying again as the policy says, letting go when the owner wants no more, and not minding what is beside the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog

from studio.errors import StorageError
from studio.pipeline.retrying import Failures, RetryPolicy, pause_before_next
from webui_client.errors import WebuiError

LOG = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")
LOOK_SECONDS = 0.5


class StageCancelled(Exception):
    """The owner wants no more of this job."""


def keep_trying(
    work: Callable[[], T],
    policy: RetryPolicy,
    *,
    others: Callable[[WebuiError], bool],
    cancelled: Callable[[], bool],
    tell: Callable[[WebuiError, float | None], None],
) -> T:
    """The work's value, from the first try that succeeds.

    others: whether another server may be able after this error. tell: is told every error and the pause before the
    next try, None after the last. Raises StageCancelled when cancelled says so, the last WebuiError when the policy
    gives up.
    """
    failures = Failures()
    while True:
        try:
            return work()
        except WebuiError as error:
            if cancelled():
                raise StageCancelled from error
            moment = time.monotonic()
            failures = failures.and_then(error, moment)
            pause = pause_before_next(policy, failures, error, moment, others=others(error))
            tell(error, pause)
            if pause is None:
                raise
        _wait(pause, cancelled)


def overlooking(look: Callable[P, T], otherwise: T) -> Callable[P, T]:
    """look, for what is only shown, noted or asked beside the work; its value is otherwise while the storage fails."""

    def tolerant(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return look(*args, **kwargs)
        except StorageError as error:
            LOG.debug("overlooked", error=str(error))
            return otherwise

    return tolerant


def _wait(seconds: float, cancelled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if cancelled():
            raise StageCancelled
        time.sleep(min(left, LOOK_SECONDS))

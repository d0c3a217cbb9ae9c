"""One training on one server, in a thread of its own that holds the server for as long as EasyPhoto is at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from training.easyphoto import failures
from training.easyphoto.attempt import Attempt, kept_attempt
from training.lora_file import read_lora
from webui_client import easyphoto
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient
from webui_client.easyphoto import EasyPhotoTraining
from webui_client.errors import (
    Interrupted,
    MissingCapability,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
    WebuiError,
)
from webui_client.pool import WebuiPool

LOOK_SECONDS = 2.0
STILL_RUNNING = frozenset({502, 504})
"""What a proxy answers that gave up waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds. limit: for a whole training. patience: without an answer of the server, or without the file that it
    says it made. look: between two looks for the file once the answer was lost.
    """

    limit: float
    patience: float = 120.0
    look: float = LOOK_SECONDS


@dataclass(slots=True, kw_only=True)
class Course:
    """A training from the wait for a server to EasyPhoto's answer.

    The server is held also after abandon(), until EasyPhoto is done or the process ends: nothing stops it, and a
    picture made beside it would fight for the card's memory. order: what to ask, or what an earlier run asked,
    whose end is awaited. loras: each server's LoRA folder as seen here, by its URL. attempt: None until the server is
    asked.
    """

    pool: WebuiPool
    order: EasyPhotoTraining | Attempt
    loras: Mapping[str, Path]
    work: Path
    limits: Limits
    attempt: Attempt | None = None
    _abandoned: threading.Event = field(default_factory=threading.Event)
    _end: Future[None] = field(default_factory=Future)

    def start(self) -> None:
        """Begin; the thread ends with the process at the latest."""
        threading.Thread(target=self._run, name="easyphoto", daemon=True).start()

    def ended(self, seconds: float) -> bool:
        """Whether it ended well, waiting at most so long; raises what it ended by, TrainingFailed or WebuiError."""
        if not wait([self._end], seconds).done:
            return False
        self._end.result()
        return True

    def abandon(self) -> None:
        """Want no result any more; what was not asked yet is not asked."""
        self._abandoned.set()

    def _run(self) -> None:
        try:
            if isinstance(self.order, Attempt):
                self._take_up(self.order)
            else:
                self._learn(self.order)
        except BaseException as error:  # noqa: BLE001 (whoever waits must hear of every one)
            self._end.set_exception(error)
        else:
            self._end.set_result(None)
        self._clear_up()

    def _learn(self, training: EasyPhotoTraining) -> None:
        with self.pool.lease(
            easyphoto.require, among(self.loras), cancelled=self._abandoned.is_set
        ) as client:
            if self._abandoned.is_set():
                raise Interrupted(client.url, ours=True)
            attempt = Attempt(
                user_id=training.user_id,
                server=client.url,
                app_id=client.app_id(),
                began_at=time.time(),
                steps=training.steps,
            )
            attempt.keep(self.work)
            self.attempt = attempt
            try:
                client.train_easyphoto(training, limit_seconds=self.limits.limit)
            except WebuiError as error:
                if not may_still_run(error):
                    raise
                self._await_file(client, attempt)

    def _take_up(self, attempt: Attempt) -> None:
        """Wait for what an earlier run asked for, whose answer is lost."""
        self.attempt = attempt
        client = next((one for one in self.pool.clients if one.url == attempt.server), None)
        if client is None:
            raise failures.gone(attempt.server, attempt.seconds)
        self._await_answer(client, attempt)
        if self._is_there(attempt):
            return
        try:
            with self.pool.lease(among({attempt.server}), cancelled=lambda: self._need_not_hold(attempt)):
                self._await_file(client, attempt)
        except Interrupted:
            if self._abandoned.is_set():
                raise
            self._await_file(client, attempt)

    def _need_not_hold(self, attempt: Attempt) -> bool:
        """Whether it is over before the server could be held, as when that takes no new work."""
        over = self._is_there(attempt) or attempt.seconds > self.limits.limit
        return over or self._abandoned.is_set()

    def _await_answer(self, client: WebuiClient, attempt: Attempt) -> None:
        """Wait until the server answers at all, or has left the file; raises TrainingFailed."""
        heard = time.monotonic()
        while not self._is_there(attempt) and not self._hears(client, attempt):
            if time.monotonic() - heard > self.limits.patience:
                raise failures.gone(client.url, self.limits.patience)
            time.sleep(self.limits.look)

    def _await_file(self, client: WebuiClient, attempt: Attempt) -> None:
        """Wait until the LoRA lies whole in the folder.

        Raises TrainingFailed when the time is over, or the server is away for too long or was started anew.
        """
        while not self._is_there(attempt):
            if attempt.seconds > self.limits.limit:
                raise failures.too_long(client.url, self.limits.limit)
            self._await_answer(client, attempt)
            time.sleep(self.limits.look)

    def _hears(self, client: WebuiClient, attempt: Attempt) -> bool:
        """Whether the server answers; raises TrainingFailed if it is not the run any more that was asked."""
        try:
            told = client.app_id()
        except WebuiError:
            return False
        if None not in (told, attempt.app_id) and told != attempt.app_id:
            raise failures.restarted(client.url)
        return True

    def _is_there(self, attempt: Attempt) -> bool:
        return read_lora(self._made(attempt)) is not None

    def _made(self, attempt: Attempt) -> Path:
        return self.loras[attempt.server] / f"{attempt.user_id}.safetensors"

    def _clear_up(self) -> None:
        """Remove what EasyPhoto made for a training that was cancelled for good, by which its work folder is gone."""
        if self._abandoned.is_set() and self.attempt is not None and kept_attempt(self.work) is None:
            self._made(self.attempt).unlink(missing_ok=True)


def may_still_run(error: WebuiError) -> bool:
    """Whether the answer was lost and the training may go on without us."""
    if isinstance(error, ServerFailed):
        return error.status in STILL_RUNNING
    return isinstance(error, ServerTimeout) or (isinstance(error, ServerUnreachable) and error.sent)


def among(urls: Container[str]) -> Callable[[Capabilities], None]:
    """A need for the pool that these servers alone meet: those whose LoRA folder is known here, or the one at work."""

    def need(server: Capabilities) -> None:
        if server.server not in urls:
            raise MissingCapability(server.server, failures.LORA_FOLDER, "known here")

    return need

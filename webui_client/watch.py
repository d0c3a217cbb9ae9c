"""Looking after a running request from a second thread: progress, cancelling, evidence of interrupts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from webui_client.answers import mapping_of, number_of
from webui_client.errors import WebuiError
from webui_client.interrupts import Glimpse
from webui_client.progress import read_progress
from webui_client.transport import Transport
from webui_client.values import Progress

FIRST_LOOK_SECONDS = 0.5


class RunWatch:
    """A context manager around one blocking generation call; the second thread lives as long as the context.

    by_task: progress is asked by task_id, which tells whether ours is the one that runs; otherwise only the
    global progress is known, and a cancel interrupts only if the server was idle when the call was made
    (idle_before). on_progress, wants_preview and cancelled are called from the second thread; an error they raise
    is raised when the context ends.
    """

    def __init__(
        self,
        transport: Transport,
        task_id: str,
        *,
        by_task: bool,
        idle_before: bool,
        on_progress: Callable[[Progress], None] | None,
        wants_preview: Callable[[], bool] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._transport = transport
        self._task_id = task_id
        self._by_task = by_task
        self._idle_before = idle_before
        self._on_progress = on_progress
        self._wants_preview = wants_preview
        self._cancelled = cancelled
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {task_id}", daemon=True)
        self._failure: Exception | None = None
        self._fraction = 0.0
        self._preview_id = -1
        self._glimpses: list[Glimpse] = []
        self.cancel_asked = False

    @property
    def glimpses(self) -> tuple[Glimpse, ...]:
        """What was seen, in order."""
        return tuple(self._glimpses)

    def interrupt_if_ours(self) -> None:
        """Interrupt the server if our task is the one it runs."""
        if self._is_ours_running():
            self._transport.post("/sdapi/v1/interrupt", {})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        pause = min(FIRST_LOOK_SECONDS, self._transport.timeouts.poll)
        while not self._done.wait(pause):
            pause = self._transport.timeouts.poll
            try:
                self._look()
                self._obey()
            except WebuiError:
                continue  # The call itself will tell what is wrong with the server.
            except Exception as error:  # noqa: BLE001  the caller's own; kept for the caller's thread
                self._failure = error
                return

    def _look(self) -> None:
        shows = self._on_progress is not None and (self._wants_preview is None or self._wants_preview())
        task = self._ask_task(preview=shows) if self._by_task else None
        skip_image = self._by_task or not shows
        params = {"skip_current_image": str(skip_image).lower()}
        whole = mapping_of(self._transport.get("/sdapi/v1/progress", params=params))
        ours = self._idle_before if task is None else bool(task.get("active"))
        self._glimpses.append(Glimpse.of(whole, ours=ours))
        if self._on_progress and not self._done.is_set():
            told = read_progress(task, whole, least=self._fraction, waiting=not self._idle_before)
            self._fraction = told.fraction
            self._on_progress(told)

    def _ask_task(self, *, preview: bool = False) -> Mapping[str, Any]:
        question = {
            "id_task": self._task_id,
            "id_live_preview": self._preview_id,
            "live_preview": preview,
        }
        answer = mapping_of(self._transport.post("/internal/progress", question))
        self._preview_id = int(number_of(answer.get("id_live_preview"))) or self._preview_id
        return answer

    def _obey(self) -> None:
        """Interrupt while a cancel stands: again at each look, because a script that begins anew clears the
        flag.
        """
        self.cancel_asked = self.cancel_asked or bool(self._cancelled and self._cancelled())
        if self.cancel_asked:
            self.interrupt_if_ours()

    def _is_ours_running(self) -> bool:
        if self._by_task:
            return bool(self._ask_task().get("active"))
        return self._idle_before and not is_idle(self._transport)


def look_after(transport: Transport) -> Glimpse | None:
    """Return the server's state after a run, or None if it does not answer any more."""
    try:
        whole = transport.get("/sdapi/v1/progress", params={"skip_current_image": "true"})
    except WebuiError:
        return None
    return Glimpse.of(mapping_of(whole))


def is_idle(transport: Transport) -> bool:
    """Whether the server runs no job now."""
    state = mapping_of(
        mapping_of(transport.get("/sdapi/v1/progress", params={"skip_current_image": "true"})).get("state")
    )
    return not state.get("job") and not state.get("job_count")

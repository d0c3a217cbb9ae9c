"""What the running job has done so far; the core reports into it and the progress routes read it.

The arithmetic is A1111's: passes done plus the share of the current pass's steps, over all passes known of.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

LARGEST_SHARE = 0.01
"""How much of the time previews may take: the sampler waits while one is decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A look at the running job. number: from 0 in each job; picture: RGB, small."""

    number: int
    picture: Image.Image


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """One consistent reading. job_count 0: nothing runs. fraction: 0 to 1. eta_seconds: None before the first step."""

    job: str
    job_timestamp: str
    job_count: int
    job_no: int
    sampling_step: int
    sampling_steps: int
    skipped: bool
    interrupted: bool
    fraction: float
    eta_seconds: float | None


class Progress:
    """The one running job, as a :class:`~webui_engine.tasks.Monitor`. Every method may be called from any thread.

    clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._began_at = 0.0
        self._skipped = self._interrupted = False
        self._preview: Preview | None = None
        self._clear("", 0)

    def start(self, job: str, *, preview_every: int) -> str:
        """A new job begins: all flags and figures are fresh; its timestamp is returned.

        preview_every: steps between previews, 0 for none.
        """
        with self._lock:
            self._clear(job, preview_every)
            self._began_at = self._clock()
            self.timestamp = datetime.now().strftime("%Y%m%d%H%M%S")
            self._job_count = 1
            return self.timestamp

    def finish(self) -> None:
        """The job is over, however it ended; as in A1111 its flags can be read until the next one begins."""
        with self._lock:
            skipped, interrupted, timestamp = self._skipped, self._interrupted, self.timestamp
            self._clear("", 0)
            self._skipped, self._interrupted, self.timestamp = skipped, interrupted, timestamp

    def expect(self, passes: int) -> None:
        """Announce how many sampling passes the whole job will need, so that its progress does not run backwards."""
        with self._lock:
            self._job_count = max(self._job_count, passes)

    def reach(self, passes_done: int) -> None:
        """Say that passes_done passes are over, run or not needed."""
        with self._lock:
            self._base = self._next = self._job_no = passes_done
            self._job_count = max(self._job_count, passes_done)
            self._step = 0

    def begin(self, *, jobs: int, steps: int) -> None:
        """See Monitor.begin: passes are counted on top of those of earlier calls in the same job."""
        with self._lock:
            self._base = self._next
            self._next = self._base + jobs
            self._job_no = self._base
            self._job_count = max(self._job_count, self._next)
            self._step, self._steps = 0, steps

    def job(self, number: int, *, steps: int) -> None:
        """See Monitor.job; a skip counts for the batch it was sent in, so it ends here."""
        with self._lock:
            self._job_no = self._base + number
            self._step, self._steps = 0, steps
            self._skipped = False

    def step(self, number: int, preview: Image.Image | None) -> None:
        """See Monitor.step."""
        with self._lock:
            self._step = number
            if preview is not None:
                now = self._clock()
                shown = 0 if self._preview is None else self._preview.number + 1
                self._preview = Preview(number=shown, picture=preview)
                self._preview_asked = False
                self._preview_due_at = now + (now - self._decoding_since) / LARGEST_SHARE

    @property
    def wants_preview(self) -> bool:
        """See Monitor.wants_preview: at every so many steps, if somebody asked and it costs little of the time.

        The time of asking is taken for the beginning of the decoding.
        """
        with self._lock:
            self._decoding_since = self._clock()
            at_this_step = self._preview_every > 0 and (self._step + 1) % self._preview_every == 0
            return at_this_step and self._preview_asked and self._decoding_since >= self._preview_due_at

    @property
    def interrupted(self) -> bool:
        """See Monitor.interrupted."""
        return self._interrupted

    @property
    def skipped(self) -> bool:
        """See Monitor.skipped."""
        return self._skipped

    def interrupt(self) -> None:
        """Ask the running job to stop; without one nothing happens, and nothing later."""
        with self._lock:
            self._interrupted = self._interrupted or self._job_count > 0

    def skip(self) -> None:
        """Ask the running job to leave its current batch."""
        with self._lock:
            self._skipped = self._skipped or self._job_count > 0

    def ask_preview(self) -> Preview | None:
        """The running job's newest preview, None before the first; who asks gets a newer one a step or more later."""
        with self._lock:
            self._preview_asked = self._job_count > 0
            return self._preview

    def view(self) -> ProgressView:
        """All figures at one moment."""
        with self._lock:
            fraction = self._fraction()
            elapsed = self._clock() - self._began_at
            return ProgressView(
                job=self._job,
                job_timestamp=self.timestamp,
                job_count=self._job_count,
                job_no=self._job_no,
                sampling_step=self._step,
                sampling_steps=self._steps,
                skipped=self._skipped,
                interrupted=self._interrupted,
                fraction=fraction,
                eta_seconds=elapsed / fraction - elapsed if fraction > 0 else None,
            )

    def _fraction(self) -> float:
        if not self._job_count:
            return 0.0
        within = self._step / self._steps if self._steps else 0.0
        return min((self._job_no + min(within, 1.0)) / self._job_count, 1.0)

    def _clear(self, job: str, preview_every: int) -> None:
        self._job = job
        self._preview_every = preview_every
        self.timestamp = "0"
        self._job_count = self._job_no = self._base = self._next = 0
        self._step = self._steps = 0
        self._skipped = self._interrupted = False
        self._preview = None
        self._preview_asked = False
        self._preview_due_at = self._decoding_since = 0.0

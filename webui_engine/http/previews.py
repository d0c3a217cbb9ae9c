"""The running job as a small picture: decoded when somebody asks, and seldom enough not to slow the job down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from webui_engine.http.progress import Progress

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

LARGEST_SHARE = 0.05
"""How much of the time decoding may take: it works beside the sampler, on the same processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A look at a run. number: of the step it shows, counted from 0 in each run; picture: RGB."""

    run: int
    number: int
    picture: Image.Image


class Previews:
    """Previews of the run that progress describes. clock: seconds that only grow."""

    def __init__(
        self, engine: Engine, progress: Progress, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine, self._progress, self._clock = engine, progress, clock
        self._lock = threading.Lock()
        self._last: Preview | None = None
        self._due_at = 0.0

    def newest(self) -> Preview | None:
        """The newest preview of the present run, or None where there is none yet.

        A newer one is decoded only when decoding so far took less than LARGEST_SHARE of the time; the first one of a
        run always is.
        """
        run, number, latents = self._progress.latents()
        if latents is None:
            return None
        with self._lock:
            last = self._last if self._last and self._last.run == run else None
            if last and (last.number == number or self._clock() < self._due_at):
                return last
            began = self._clock()
            self._last = Preview(run=run, number=number, picture=self._engine.preview(latents))
            ended = self._clock()
            self._due_at = ended + (ended - began) / LARGEST_SHARE
            return self._last

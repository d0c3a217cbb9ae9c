"""The running job's latest latents as a small picture, decoded once however often it is asked for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PIL import Image

from webui_engine.http.progress import Progress

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine


class Previews:
    """Previews of the job that progress describes."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine, self._progress = engine, progress
        self._lock = threading.Lock()
        self._decoded: tuple[int, int, Image.Image] | None = None

    def newest(self) -> Image.Image | None:
        """The newest preview, RGB, or None where there is none yet."""
        number, latents = self._progress.latents()
        if latents is None:
            return None
        key = (id(latents), number)
        with self._lock:
            if self._decoded is None or self._decoded[:2] != key:
                self._decoded = (*key, self._engine.preview(latents))
            return self._decoded[2]

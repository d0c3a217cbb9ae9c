"""What the routes work with, made once when the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app

from webui_engine.adetailer.detectors import Detectors
from webui_engine.easyphoto.person import EasyPhoto
from webui_engine.http.access import Access
from webui_engine.http.generation.fields import Style, read_styles
from webui_engine.http.options import CHECKPOINT, OptionsStore
from webui_engine.http.progress import Progress
from webui_engine.http.queue import TaskQueue

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

KEY = "sajin-engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The engine and what stands around it. data: the folder for options, styles and saved pictures."""

    engine: Engine
    options: OptionsStore
    queue: TaskQueue
    progress: Progress
    detectors: Detectors
    easyphoto: EasyPhoto
    access: Access
    data: Path
    flags: dict[str, object]

    def styles(self) -> tuple[Style, ...]:
        """The prompt styles of ``styles.csv`` in the data folder, read afresh."""
        return read_styles(self.data / "styles.csv")


def assemble(
    engine: Engine,
    options: OptionsStore,
    *,
    data: Path,
    models_dirs: tuple[Path, ...],
    access: Access,
    flags: dict[str, object],
) -> Services:
    """Services around an engine whose checkpoint is in memory."""
    options.remember({CHECKPOINT: engine.loaded.title})
    detectors = Detectors([folder / "adetailer" for folder in models_dirs])
    return Services(
        engine=engine,
        options=options,
        queue=TaskQueue(),
        progress=Progress(),
        detectors=detectors,
        easyphoto=EasyPhoto(engine, detectors, data / "easyphoto"),
        access=access,
        data=data,
        flags=flags,
    )


def services() -> Services:
    """Those of the running app."""
    found = current_app.extensions[KEY]
    assert isinstance(found, Services)
    return found

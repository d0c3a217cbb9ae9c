"""The settings of A1111's options page: names, defaults, the saved file, and overriding for one job.

The names and defaults are data (options.json); which of them the engine acts on is in :class:`Effective`.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from webui_engine.errors import BadValue, UnknownName, WouldBeIgnored

CHECKPOINT = "sd_model_checkpoint"
CHECKPOINT_HASH = "sd_checkpoint_hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The options that change what the engine does, at one moment."""

    checkpoint: str | None
    vae: str
    clip_skip: int
    sdxl_crop: tuple[int, int]
    eta_noise_seed_delta: int
    emphasis: str
    tiling: bool
    face_restoration: bool
    img2img_fix_steps: bool
    img2img_background: str
    initial_noise_multiplier: float
    samples_format: str
    jpeg_quality: int
    webp_lossless: bool
    enable_pnginfo: bool
    return_grid: bool
    return_mask: bool
    return_mask_composite: bool
    live_previews: bool
    preview_every: int
    controlnet_units: int
    controlnet_maps: bool
    adetailer_tabs: int
    adetailer_order: str
    adetailer_same_seed: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Effective:
        """From a full set of options."""
        return cls(
            checkpoint=values[CHECKPOINT],
            vae=str(values["sd_vae"] or "Automatic"),
            clip_skip=max(1, int(values["CLIP_stop_at_last_layers"])),
            sdxl_crop=(int(values["sdxl_crop_top"]), int(values["sdxl_crop_left"])),
            eta_noise_seed_delta=int(values["eta_noise_seed_delta"]),
            emphasis=str(values["emphasis"]),
            tiling=bool(values["tiling"]),
            face_restoration=bool(values["face_restoration"]),
            img2img_fix_steps=bool(values["img2img_fix_steps"]),
            img2img_background=str(values["img2img_background_color"]),
            initial_noise_multiplier=float(values["initial_noise_multiplier"]),
            samples_format=str(values["samples_format"]),
            jpeg_quality=int(values["jpeg_quality"]),
            webp_lossless=bool(values["webp_lossless"]),
            enable_pnginfo=bool(values["enable_pnginfo"]),
            return_grid=bool(values["return_grid"]),
            return_mask=bool(values["return_mask"]),
            return_mask_composite=bool(values["return_mask_composite"]),
            live_previews=bool(values["live_previews_enable"]),
            preview_every=max(0, int(values["show_progress_every_n_steps"])),
            controlnet_units=int(values["control_net_unit_count"]),
            controlnet_maps=not values["control_net_no_detectmap"],
            adetailer_tabs=int(values["ad_max_models"]),
            adetailer_order=str(values["ad_bbox_sortby"]),
            adetailer_same_seed=bool(values["ad_same_seed_for_each_tab"]),
        )


class OptionsStore:
    """All options; what was posted is kept in one JSON file, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        """path: the file; it need not exist. Raises BadValue when it is there and no JSON object."""
        self._path = path
        self._lock = threading.RLock()
        tables = json.loads(resources.files("webui_engine.http").joinpath("options.json").read_text("utf-8"))
        self._listed: dict[str, Any] = tables["listed"]
        self._defaults: dict[str, Any] = tables["listed"] | tables["unlisted"]
        self._saved = self._load()
        self._session: dict[str, Any] = {}

    def listed(self) -> dict[str, Any]:
        """What GET options shows, in A1111's order."""
        values = self.all()
        return {name: values[name] for name in self._listed}

    def all(self) -> dict[str, Any]:
        """Every option with its current value."""
        with self._lock:
            return self._defaults | self._saved | self._session

    def effective(self) -> Effective:
        """The options the engine acts on."""
        return Effective.of(self.all())

    def check(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes with numbers in their option's own type; raises UnknownName or BadValue."""
        return {name: self._fitting(name, value) for name, value in changes.items()}

    def save(self, changes: Mapping[str, Any]) -> None:
        """Set options for good; raises UnknownName or BadValue before anything is changed."""
        fitting = self.check(changes)
        with self._lock:
            self._saved |= fitting
            self._session = {name: value for name, value in self._session.items() if name not in fitting}
            write_atomically(self._path, json.dumps(self._saved, indent=2, ensure_ascii=False).encode())

    def remember(self, changes: Mapping[str, Any]) -> None:
        """Set options until the process ends."""
        with self._lock:
            self._session |= self.check(changes)

    @contextmanager
    def overridden(self, changes: Mapping[str, Any], *, restore: bool) -> Iterator[Effective]:
        """Set options for the body, and put them back after it when restore."""
        fitting = self.check(changes)
        with self._lock:
            before = dict(self._session)
            self._session |= fitting
        try:
            yield self.effective()
        finally:
            if restore:
                with self._lock:
                    self._session = before

    def _load(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        try:
            values = json.loads(self._path.read_text("utf-8"))
        except ValueError as error:
            raise BadValue(str(self._path), "its content", "no JSON; mend or delete the file") from error
        if not isinstance(values, dict):
            raise BadValue(
                str(self._path), type(values).__name__, "a JSON object was expected; mend or delete the file"
            )
        return {name: self._fitting(name, value) for name, value in values.items() if name in self._defaults}

    def _fitting(self, name: str, value: Any) -> Any:
        if name not in self._defaults:
            raise UnknownName("option", name, ())
        default = self._defaults[name]
        if default is None or value is None:
            return value
        if isinstance(default, bool) or isinstance(value, bool):
            fits = isinstance(default, bool) and isinstance(value, bool)
        elif isinstance(default, (int, float)):
            fits = isinstance(value, (int, float))
        else:
            fits = isinstance(value, type(default))
        if not fits:
            raise WouldBeIgnored(name, value, f"the option is of type {type(default).__name__}")
        return (
            int(value)
            if isinstance(default, int) and not isinstance(default, bool) and value == int(value)
            else value
        )


def write_atomically(path: Path, data: bytes) -> None:
    """Put data at path so that a reader, or a crash, meets the old file or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

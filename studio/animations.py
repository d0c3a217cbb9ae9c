"""Finished animations as the files that people send."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from studio.animation.clip import opened
from studio.animation.formats import encoded
from studio.errors import NotFound
from studio.gallery import Gallery
from studio.store import TEMPORARY, Store, write_whole
from studio.values import AnimationFile, AnimationFormat, AnimationQuery

FORMATS: tuple[AnimationFormat, ...] = ("gif", "mp4", "webp", "apng")


@dataclass(frozen=True, slots=True, kw_only=True)
class Animations:
    """The animations of one owner. Files are made when first asked for, and kept on this machine."""

    store: Store
    gallery: Gallery

    def file(self, image_id: str, file_format: AnimationFormat, query: AnimationQuery) -> Path:
        """An animation in a format. Raises NotFound, also for a still picture, and BudgetNotMet."""
        path = self._path(image_id)
        budget = query.budget_kb if file_format == "gif" else None
        name = "-".join(str(part) for part in ("at", query.fps, budget) if part is not None)
        place = self.store.encodings(path) / f"{name}.{file_format}"
        if not place.exists():
            clip = opened(self.store.get(path))
            clip = clip if query.fps is None else replace(clip, fps=query.fps)
            content = encoded(clip, file_format, None if budget is None else budget * 1000)
            write_whole(place, content, self.store.cache / TEMPORARY)
        return place

    def files(self, image_id: str, query: AnimationQuery) -> tuple[AnimationFile, ...]:
        """An animation in every format, with its size. Raises as file does."""
        found = ((name, self.file(image_id, name, query)) for name in FORMATS)
        return tuple(AnimationFile(format=name, bytes=place.stat().st_size) for name, place in found)

    def _path(self, image_id: str) -> str:
        if self.gallery.get(image_id).movement is None:
            raise NotFound("animation", image_id)
        return self.gallery.path(image_id)

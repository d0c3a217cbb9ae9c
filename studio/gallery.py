"""Finished pictures as their owner sees them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from studio.database.connect import Database
from studio.database.tables import ImageRow, StageResultRow
from studio.errors import NotFound
from studio.job_rows import image_value, page
from studio.recipes import recipe_in
from studio.restore import restored
from studio.store import Store
from studio.thumbnails import thumbnail
from studio.values import Image, ImagePage, ImageQuery, Restored


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The images of one owner."""

    database: Database
    store: Store
    owner_id: str

    def list(self, query: ImageQuery) -> ImagePage:
        """Newest first. Raises InvalidRequest."""
        chosen = select(ImageRow).where(ImageRow.owner_id == self.owner_id, *_conditions(query))
        with self.database.read() as session:
            rows, following = page(session, chosen, ImageRow, query.limit, query.cursor)
        return ImagePage(items=tuple(map(image_value, rows)), next=following)

    def get(self, image_id: str) -> Image:
        """One image. Raises NotFound."""
        return image_value(self._row(image_id))

    def erase(self, image_id: str) -> None:
        """Erase the image, and its stage pictures where no other image shows them. Raises NotFound."""
        with self.database.write() as session:
            row = self._owned(session, image_id)
            session.delete(row)
            session.flush()
            files = _unshared_files(session, row)
            session.execute(delete(StageResultRow).where(StageResultRow.path.in_(files)))
        for path in files:
            self.store.delete(path)

    def set_favourite(self, image_id: str, favourite: bool) -> Image:
        """Mark or unmark. Raises NotFound."""
        with self.database.write() as session:
            row = self._owned(session, image_id)
            row.favourite = favourite
        return image_value(row)

    def path(self, image_id: str) -> str:
        """The picture's path in the store. Raises NotFound."""
        return self._row(image_id).path

    def file(self, image_id: str, size: Literal["full", "thumbnail"]) -> Path:
        """The picture's file. Raises NotFound."""
        path = self.path(image_id)
        return self.store.local(path) if size == "full" else thumbnail(self.store, path)

    def stage_file(self, image_id: str, stage: str) -> Path:
        """A stage's picture. Raises NotFound."""
        for made in self._row(image_id).stages:
            if made["name"] == stage:
                return self.store.local(made["path"])
        raise NotFound("stage", stage)

    def recipe(self, image_id: str) -> dict[str, object]:
        """The recipe written in the picture. Raises NotFound."""
        recipe = recipe_in(self.store.get(self._row(image_id).path))
        if recipe is None:
            raise NotFound("recipe", image_id)
        return recipe

    def archive(self, image_ids: Sequence[str]) -> Iterator[bytes]:
        """A zip of the pictures as they are (PNG is compressed already). Raises NotFound at once."""
        rows = [self._row(image_id) for image_id in dict.fromkeys(image_ids)]
        return self._zipped(rows)

    def restore(self, picture: BinaryIO) -> Restored:
        """The settings in a dropped picture. Raises BadUpload, NothingToRestore."""
        return restored(picture)

    def _zipped(self, rows: Sequence[ImageRow]) -> Iterator[bytes]:
        out = _Pieces()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for row in rows:
                archive.writestr(f"{row.preset}-{row.seed}-{row.id[:8]}.png", self.store.get(row.path))
                yield out.taken()
        yield out.taken()

    def _row(self, image_id: str) -> ImageRow:
        with self.database.read() as session:
            return self._owned(session, image_id)

    def _owned(self, session: Session, image_id: str) -> ImageRow:
        row = session.get(ImageRow, image_id)
        if row is None or row.owner_id != self.owner_id:
            raise NotFound("image", image_id)
        return row


class _Pieces(io.RawIOBase):
    """A write-only stream whose content is taken away piece by piece."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._position = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Hold data until it is taken."""
        self._held += data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def taken(self) -> bytes:
        """What was written since the last time."""
        piece = bytes(self._held)
        self._held.clear()
        return piece


def _conditions(query: ImageQuery) -> Iterator[Any]:
    if query.subject is not None:
        yield ImageRow.subject_id == query.subject
    if query.preset is not None:
        yield ImageRow.preset == query.preset
    if query.favourite is not None:
        yield ImageRow.favourite.is_(query.favourite)
    for word in (query.q or "").split():
        yield or_(
            ImageRow.prompt.icontains(word, autoescape=True),
            ImageRow.preset.icontains(word, autoescape=True),
            ImageRow.seed == (int(word) if word.isdecimal() and len(word) < 12 else -1),
        )


def _unshared_files(session: Session, erased: ImageRow) -> set[str]:
    """The files of an image just erased that no other image of the same owner shows."""
    paths = {erased.path, *(stage["path"] for stage in erased.stages)}
    query = select(ImageRow.path, ImageRow.stages).where(
        ImageRow.owner_id == erased.owner_id, ImageRow.seed == erased.seed
    )
    for path, stages in session.execute(query):
        paths -= {path, *(stage["path"] for stage in stages)}
    return paths | _own_words(session, erased)


def _own_words(session: Session, erased: ImageRow) -> set[str]:
    """The file of an image's description; none where the same words were read for another picture too."""
    path = (erased.described or {}).get("path")
    if path is None:
        return set()
    readings = session.scalars(select(StageResultRow.key).where(StageResultRow.path == path).limit(2)).all()
    return set() if len(readings) > 1 else {path}

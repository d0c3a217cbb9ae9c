"""Photos: from untrusted uploads to judged, clean pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy.orm import Session

from studio.database.connect import Database
from studio.database.tables import PhotoRow
from studio.errors import NotFound, StudioError, TooManyPhotos
from studio.faces.errors import FaceWorkFailed
from studio.faces.process import FaceProcess
from studio.faces.values import PhotoFindings
from studio.intake import BadPicture, CleanPicture, decode
from studio.intake.decoding import LARGEST_FILE_BYTES
from studio.intake.names import display_name
from studio.photo_rows import coached, judged, photo_value, photos_of, set_value, set_verdict
from studio.records import new_id, now
from studio.store import Store
from studio.subjects import owned_subject
from studio.thumbnails import thumbnail
from studio.values import MAX_PHOTOS, Coach, Photo, PhotosAdded, PhotoSet, RefusedFile, UploadedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """The photos of one owner's subjects."""

    database: Database
    store: Store
    faces: FaceProcess
    owner_id: str

    def add(self, subject_id: str, files: Sequence[UploadedFile]) -> PhotosAdded:
        """Keep what can be read, refuse the rest, judge the set. Raises NotFound, TooManyPhotos."""
        with self.database.read() as session:
            owned_subject(session, subject_id, self.owner_id)
            present = len(photos_of(session, subject_id))
        if present + len(files) > MAX_PHOTOS:
            raise TooManyPhotos(MAX_PHOTOS, present, len(files))
        added: list[str] = []
        refused: list[RefusedFile] = []
        for file in files:
            try:
                added.append(self._keep(subject_id, file))
            except BadPicture as error:
                refused.append(RefusedFile(filename=error.filename, code=error.code, detail=str(error)))
            except FaceWorkFailed as error:
                name = display_name(file.filename)
                refused.append(RefusedFile(filename=name, code=error.reason, detail=str(error)))
        everything = self._judge_again(subject_id)
        items = tuple(photo for photo in everything.items if photo.id in added)
        return PhotosAdded(items=items, refused=tuple(refused), set=everything.set)

    def list(self, subject_id: str) -> PhotoSet:
        """All photos of a subject. Raises NotFound."""
        with self.database.read() as session:
            owned_subject(session, subject_id, self.owner_id)
            rows = photos_of(session, subject_id)
        return PhotoSet(items=tuple(map(photo_value, rows)), set=set_verdict(rows))

    def coach(self, subject_id: str) -> Coach:
        """What a subject's photos cover and what one more would help most. Raises NotFound."""
        with self.database.read() as session:
            owned_subject(session, subject_id, self.owner_id)
            return coached(photos_of(session, subject_id))

    def set_caption(self, subject_id: str, photo_id: str, caption: str | None) -> Photo:
        """Give a photo its owner's caption, or with None the automatic one again. Raises NotFound."""
        with self.database.write() as session:
            row = self._of_subject(session, subject_id, photo_id)
            row.caption = caption
            return photo_value(row)

    def remove(self, subject_id: str, photo_id: str) -> None:
        """Erase one photo. Raises NotFound."""
        with self.database.write() as session:
            row = self._of_subject(session, subject_id, photo_id)
            session.delete(row)
        self._erase_if_unused(subject_id, row.path)
        self._judge_again(subject_id)

    def file(self, photo_id: str, size: Literal["full", "thumbnail"]) -> Path:
        """The photo as a JPEG file. Raises NotFound."""
        with self.database.read() as session:
            path = self._owned(session, photo_id).path
        return self.store.local(path) if size == "full" else thumbnail(self.store, path)

    def _owned(self, session: Session, photo_id: str) -> PhotoRow:
        row = session.get(PhotoRow, photo_id)
        if row is None or row.owner_id != self.owner_id:
            raise NotFound("photo", photo_id)
        return row

    def _of_subject(self, session: Session, subject_id: str, photo_id: str) -> PhotoRow:
        row = self._owned(session, photo_id)
        if row.subject_id != subject_id:
            raise NotFound("photo", photo_id)
        return row

    def _keep(self, subject_id: str, file: UploadedFile) -> str:
        picture = decode(file.stream.read(LARGEST_FILE_BYTES + 1), file.filename)
        findings = self.faces.check(picture.jpeg)
        path = self.store.put(picture.jpeg, f"photos/{subject_id}", ".jpg")
        try:
            with self.database.write() as session:
                owned_subject(session, subject_id, self.owner_id)
                position = _next_position(session, subject_id)
                row = self._row(subject_id, picture, findings, path, position=position)
                session.add(row)
        except StudioError:
            self._erase_if_unused(subject_id, path)
            raise
        return row.id

    def _erase_if_unused(self, subject_id: str, path: str) -> None:
        """Erase a file of which the subject has no photo: nobody would ever ask for it again."""
        with self.database.read() as session:
            used = any(row.path == path for row in photos_of(session, subject_id))
        if not used:
            self.store.delete(path)

    def _row(
        self, subject_id: str, picture: CleanPicture, findings: PhotoFindings, path: str, *, position: int
    ) -> PhotoRow:
        return PhotoRow(
            id=new_id(),
            owner_id=self.owner_id,
            subject_id=subject_id,
            position=position,
            filename=picture.filename,
            path=path,
            width=picture.width,
            height=picture.height,
            status="unfit",
            reasons=[],
            findings=findings.model_dump(mode="json"),
            created_at=now(),
        )

    def _judge_again(self, subject_id: str) -> PhotoSet:
        """Judge every photo in the light of all the others, and keep the verdicts."""
        with self.database.write() as session:
            rows = photos_of(session, subject_id)
            verdict = judged(rows)
            for row in rows:
                own = verdict.verdicts[row.id]
                row.status = own.status.value
                row.reasons = [reason.model_dump(mode="json", exclude={"blocking"}) for reason in own.reasons]
        return PhotoSet(items=tuple(map(photo_value, rows)), set=set_value(verdict))


def _next_position(session: Session, subject_id: str) -> int:
    return max((row.position for row in photos_of(session, subject_id)), default=0) + 1

"""Face photos: one photo of one person, kept for jobs that work from it without learning the person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from studio.database.connect import Database
from studio.database.tables import FacePhotoRow, ImageRow, JobRow
from studio.errors import ConsentRequired, NotFound, StudioError
from studio.faces.process import FaceProcess
from studio.gallery import Gallery
from studio.job_rows import page
from studio.library.animals import AnimalLibrary
from studio.poses import clean_upload
from studio.records import new_id, now
from studio.store import Store
from studio.subjects import CONSENT_VERSION, owned_subject
from studio.values import (
    AnimalMatch,
    FacePhoto,
    FacePhotoPage,
    FacePhotoQuery,
    LandmarkDistance,
    Traits,
    UploadedFile,
)

FOLDER = "face-photos"


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePhotos:
    """The face photos of one owner. Only the square around the head is kept."""

    database: Database
    store: Store
    faces: FaceProcess
    library: AnimalLibrary
    gallery: Gallery
    owner_id: str

    def add(self, file: UploadedFile, *, consent: bool, subject_id: str | None) -> FacePhoto:
        """Look at an upload and keep it. Raises as Studio.add_face_photo."""
        from studio.animals.looking import look_at

        if not consent:
            raise ConsentRequired
        if subject_id is not None:
            with self.database.read() as session:
                owned_subject(session, subject_id, self.owner_id)
        seen = look_at(clean_upload(file), self.faces)
        moment = now()
        row = FacePhotoRow(
            id=new_id(),
            owner_id=self.owner_id,
            subject_id=subject_id,
            path=self.store.put(seen.square, f"{FOLDER}/{subject_id or self.owner_id}", ".jpg"),
            width=seen.side,
            height=seen.side,
            traits=seen.traits.model_dump(),
            consent_at=moment,
            consent_version=CONSENT_VERSION,
            created_at=moment,
        )
        try:
            with self.database.write() as session:
                if subject_id is not None:
                    owned_subject(session, subject_id, self.owner_id)
                session.add(row)
        except StudioError:
            self._erase_if_unused(row.path)
            raise
        return _value(row)

    def require_one_face(self, path: str) -> None:
        """See that one person is in a picture of the store. Raises NoFace, SeveralFaces."""
        from studio.id_photo.check import only_head

        only_head(self.faces.portrait(self.store.get(path)))

    def list(self, query: FacePhotoQuery) -> FacePhotoPage:
        """Newest first. Raises InvalidRequest."""
        chosen = select(FacePhotoRow).where(FacePhotoRow.owner_id == self.owner_id)
        with self.database.read() as session:
            rows, following = page(session, chosen, FacePhotoRow, query.limit, query.cursor)
        return FacePhotoPage(items=tuple(map(_value, rows)), next=following)

    def get(self, photo_id: str) -> FacePhoto:
        """One of them. Raises NotFound."""
        return _value(self._row(photo_id))

    def file(self, photo_id: str) -> Path:
        """Its JPEG file. Raises NotFound."""
        return self.store.local(self._row(photo_id).path)

    def animals(self, photo_id: str) -> tuple[AnimalMatch, ...]:
        """Every animal, the one most like the face first. Raises NotFound."""
        from studio.animals.ranking import ranked

        return ranked(self.get(photo_id).traits, self.library)

    def erase(self, photo_id: str) -> None:
        """Erase it, and its file where no other shows it; pictures made from it stay. Raises NotFound."""
        with self.database.write() as session:
            row = self._owned(session, photo_id)
            session.delete(row)
        self._erase_if_unused(row.path)

    def landmarks(self, image_id: str) -> LandmarkDistance:
        """How far an image's landmarks are from those of the photo it was made from. Raises NotFound."""
        from studio.animals.landmarks import landmark_distance

        photo, image = self._pair(image_id)
        return landmark_distance(self.faces.portrait(photo), self.faces.portrait(image))

    def drawn_landmarks(self, image_id: str) -> bytes:
        """A JPEG that shows both faces' landmarks over the image. Raises NotFound."""
        from studio.animals.landmarks import drawn_landmarks

        photo, image = self._pair(image_id)
        return drawn_landmarks(image, self.faces.portrait(photo), self.faces.portrait(image))

    def _erase_if_unused(self, path: str) -> None:
        with self.database.read() as session:
            users = session.scalars(select(FacePhotoRow.id).where(FacePhotoRow.path == path).limit(1))
            used = users.first() is not None
        if not used:
            self.store.delete(path)

    def _pair(self, image_id: str) -> tuple[bytes, bytes]:
        """The photo that an image was made from, and the image."""
        image = self.gallery.file(image_id, "full").read_bytes()
        query = (
            select(JobRow.options).join(ImageRow, ImageRow.job_id == JobRow.id).where(ImageRow.id == image_id)
        )
        with self.database.read() as session:
            options = session.scalars(query).one()
        if options.get("photo") is None:
            raise NotFound("face_photo", image_id)
        return self.file(options["photo"]).read_bytes(), image

    def _row(self, photo_id: str) -> FacePhotoRow:
        with self.database.read() as session:
            return self._owned(session, photo_id)

    def _owned(self, session: Session, photo_id: str) -> FacePhotoRow:
        row = session.get(FacePhotoRow, photo_id)
        if row is None or row.owner_id != self.owner_id:
            raise NotFound("face_photo", photo_id)
        return row


def _value(row: FacePhotoRow) -> FacePhoto:
    return FacePhoto(
        id=row.id,
        subject_id=row.subject_id,
        width=row.width,
        height=row.height,
        traits=Traits.model_validate(row.traits),
        created_at=row.created_at,
    )

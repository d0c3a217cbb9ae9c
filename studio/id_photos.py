"""ID photos as their owner makes, checks, keeps and prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from studio.database.connect import Database
from studio.database.tables import IdPhotoRow
from studio.errors import BadUpload, InvalidRequest, NotFound
from studio.faces.process import FaceProcess
from studio.gallery import Gallery
from studio.id_photo.reading import IdDocument
from studio.intake import BadPicture, decode
from studio.intake.decoding import LARGEST_FILE_BYTES
from studio.job_rows import page
from studio.records import new_id, now
from studio.store import Store
from studio.values import (
    CheckReport,
    IdPhoto,
    IdPhotoPage,
    IdPhotoQuery,
    SheetPicture,
    SheetRequest,
    UploadedFile,
    Words,
)

if TYPE_CHECKING:
    from studio.id_photo.sheet import Print

FOLDER = "id-photos"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdPhotos:
    """The ID photos of one owner. The photo that one is made from is not kept."""

    database: Database
    store: Store
    faces: FaceProcess
    documents: Mapping[str, IdDocument]
    gallery: Gallery
    owner_id: str

    def document(self, name: str) -> IdDocument:
        """One document. Raises NotFound."""
        document = self.documents.get(name)
        if document is None:
            raise NotFound("document", name)
        return document

    def make(self, file: UploadedFile, name: str, dpi: int | None) -> IdPhoto:
        """Make one of an upload. Raises NotFound, BadUpload, UnfitPhoto, FileSizeImpossible."""
        document = self.document(name)
        picture, _ = _clean(file)
        return self._make(picture, document, dpi, None)

    def make_of_image(self, image_id: str, name: str, dpi: int | None) -> IdPhoto:
        """Make one of a finished picture. Raises NotFound, UnfitPhoto, FileSizeImpossible."""
        document = self.document(name)
        image = self.gallery.get(image_id)
        picture = decode(self.gallery.file(image_id, "full").read_bytes(), f"{image_id}.png")
        return self._make(picture.jpeg, document, dpi, image.subject_id)

    def check(self, file: UploadedFile, name: str) -> IdPhoto:
        """Check an upload as it is. Raises NotFound, BadUpload, NoFace, SeveralFaces."""
        from studio.id_photo.making import check_photo

        document = self.document(name)
        picture, file_bytes = _clean(file)
        checked = check_photo(picture, document, self.faces, file_bytes)
        return self._keep(document, checked.report, checked.drawn)

    def list(self, query: IdPhotoQuery) -> IdPhotoPage:
        """Newest first. Raises InvalidRequest."""
        chosen = select(IdPhotoRow).where(IdPhotoRow.owner_id == self.owner_id)
        with self.database.read() as session:
            rows, following = page(session, chosen, IdPhotoRow, query.limit, query.cursor)
        return IdPhotoPage(items=tuple(map(_value, rows)), next=following)

    def get(self, id_photo_id: str) -> IdPhoto:
        """One of them. Raises NotFound."""
        return _value(self._row(id_photo_id))

    def file(self, id_photo_id: str) -> Path:
        """The photo's JPEG file. Raises NotFound, also for a check, which made none."""
        path = self._row(id_photo_id).path
        if path is None:
            raise NotFound("id_photo", id_photo_id)
        return self.store.local(path)

    def drawn(self, id_photo_id: str) -> Path:
        """The picture that shows the check. Raises NotFound."""
        return self.store.local(self._row(id_photo_id).drawn_path)

    def erase(self, id_photo_id: str) -> None:
        """Erase it, and its files where no other shows them. Raises NotFound."""
        with self.database.write() as session:
            row = self._owned(session, id_photo_id)
            session.delete(row)
            session.flush()
            files = [path for path in (row.path, row.drawn_path) if path and not _is_used(session, path)]
        for path in files:
            self.store.delete(path)

    def sheet(self, request: SheetRequest) -> bytes:
        """A sheet to print, PDF or JPEG. Raises NotFound, SheetTooSmall, InvalidRequest for an id given twice."""
        from studio.id_photo.sheet import SheetOrder, lay_out, sheet_jpeg, sheet_pdf

        if len({photo.id for photo in request.photos}) < len(request.photos):
            raise InvalidRequest([("photos", "names a photo twice")])
        prints = [self._print(photo) for photo in request.photos]
        order = SheetOrder(paper=request.paper, gap=request.gap, cut_marks=request.cut_marks)
        laid_out = lay_out(prints, order)
        if request.format == "pdf":
            return sheet_pdf(laid_out, prints)
        return sheet_jpeg(laid_out, prints, request.dpi)

    def _print(self, photo: SheetPicture) -> Print:
        from studio.id_photo.sheet import Print

        row = self._row(photo.id)
        return Print(
            jpeg=self.file(photo.id).read_bytes(), width=row.width_mm, height=row.height_mm, count=photo.count
        )

    def _make(self, picture: bytes, document: IdDocument, dpi: int | None, subject_id: str | None) -> IdPhoto:
        from studio.id_photo.making import make_id_photo

        made = make_id_photo(picture, document, self.faces, dpi)
        path = self.store.put(made.jpeg.content, FOLDER, ".jpg")
        return self._keep(
            document, made.report, made.drawn, path=path, dpi=made.dpi, file_bytes=len(made.jpeg.content),
            subject_id=subject_id,
        )  # fmt: skip

    def _keep(
        self,
        document: IdDocument,
        report: CheckReport,
        drawn: bytes,
        *,
        path: str | None = None,
        dpi: int | None = None,
        file_bytes: int | None = None,
        subject_id: str | None = None,
    ) -> IdPhoto:
        row = IdPhotoRow(
            id=new_id(),
            owner_id=self.owner_id,
            subject_id=subject_id,
            title=document.spec.title.model_dump(),
            path=path,
            drawn_path=self.store.put(drawn, FOLDER, ".jpg"),
            width_mm=document.spec.width,
            height_mm=document.spec.height,
            dpi=dpi,
            file_bytes=file_bytes,
            report=report.model_dump(mode="json"),
            created_at=now(),
        )
        with self.database.write() as session:
            session.add(row)
        return _value(row)

    def _row(self, id_photo_id: str) -> IdPhotoRow:
        with self.database.read() as session:
            return self._owned(session, id_photo_id)

    def _owned(self, session: Session, id_photo_id: str) -> IdPhotoRow:
        row = session.get(IdPhotoRow, id_photo_id)
        if row is None or row.owner_id != self.owner_id:
            raise NotFound("id_photo", id_photo_id)
        return row


def _clean(file: UploadedFile) -> tuple[bytes, int]:
    """The upload as a clean JPEG, and the length of the file that was sent. Raises BadUpload."""
    sent = file.stream.read(LARGEST_FILE_BYTES + 1)
    try:
        return decode(sent, file.filename).jpeg, len(sent)
    except BadPicture as error:
        raise BadUpload(error.code, error.filename, str(error)) from error


def _is_used(session: Session, path: str) -> bool:
    query = select(IdPhotoRow.id).where(or_(IdPhotoRow.path == path, IdPhotoRow.drawn_path == path)).limit(1)
    return session.scalars(query).first() is not None


def _value(row: IdPhotoRow) -> IdPhoto:
    return IdPhoto(
        id=row.id,
        made=row.path is not None,
        title=Words.model_validate(row.title),
        subject_id=row.subject_id,
        width_mm=row.width_mm,
        height_mm=row.height_mm,
        dpi=row.dpi,
        file_bytes=row.file_bytes,
        report=CheckReport.model_validate(row.report),
        created_at=row.created_at,
    )

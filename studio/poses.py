"""Pose pictures: those shipped with the studio and the owner's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from sqlalchemy import select

from studio.database.connect import Database
from studio.database.tables import PoseRow
from studio.errors import BadUpload, NotFound
from studio.intake import BadPicture, decode
from studio.intake.decoding import LARGEST_FILE_BYTES
from studio.intake.names import display_name
from studio.records import new_id, now
from studio.store import Store
from studio.values import Pose, UploadedFile, Words

SHIPPED = "shipped-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poses:
    """The pose pictures one owner may use.

    shipped: a folder with poses.yaml (name: title) and <name>.png beside it, drawn skeletons already.
    """

    database: Database
    store: Store
    shipped: Path
    owner_id: str

    def list(self) -> tuple[Pose, ...]:
        """Shipped ones first, then the owner's in the order of upload."""
        query = select(PoseRow).where(PoseRow.owner_id == self.owner_id).order_by(PoseRow.created_at)
        with self.database.read() as session:
            own = [_own(row) for row in session.scalars(query)]
        return (*self._shipped(), *own)

    def add(self, file: UploadedFile) -> Pose:
        """Clean and keep a picture. Raises BadUpload."""
        picture = clean_upload(file)
        path = self.store.put(picture, "poses", ".jpg")
        title = Path(display_name(file.filename)).stem
        row = PoseRow(id=new_id(), owner_id=self.owner_id, title=title, path=path, created_at=now())
        with self.database.write() as session:
            session.add(row)
        return _own(row)

    def file(self, pose_id: str) -> Path:
        """The picture's file. Raises NotFound."""
        return self.store.local(self.path(pose_id))

    def path(self, pose_id: str) -> str:
        """The picture's path in the store; a shipped one is put there first. Raises NotFound."""
        for pose in self._shipped():
            if pose.id == pose_id:
                file = self.shipped / f"{pose_id.removeprefix(SHIPPED)}.png"
                return self.store.put(file.read_bytes(), "poses", ".png")
        with self.database.read() as session:
            row = session.get(PoseRow, pose_id)
        if row is None or row.owner_id != self.owner_id:
            raise NotFound("pose", pose_id)
        return row.path

    def _shipped(self) -> tuple[Pose, ...]:
        index = self.shipped / "poses.yaml"
        if not index.exists():
            return ()
        titles = yaml.safe_load(index.read_text(encoding="utf-8"))
        return tuple(
            Pose(id=f"{SHIPPED}{name}", title=Words.model_validate(title), bundled=True)
            for name, title in titles.items()
        )


def is_skeleton(pose_id: str) -> bool:
    """Whether a pose is a drawn skeleton, which no preprocessor must look at again."""
    return pose_id.startswith(SHIPPED)


def clean_upload(file: UploadedFile) -> bytes:
    """The upload as a clean JPEG. Raises BadUpload."""
    try:
        return decode(file.stream.read(LARGEST_FILE_BYTES + 1), file.filename).jpeg
    except BadPicture as error:
        raise BadUpload(error.code, error.filename, str(error)) from error


def _own(row: PoseRow) -> Pose:
    return Pose(id=row.id, title=Words(en=row.title, ko=row.title), bundled=False)

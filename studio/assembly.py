"""Putting a studio together from its settings: the one place where all concrete parts are chosen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from studio.animations import Animations
from studio.catalogue import Catalogue
from studio.database.connect import WAIT_SECONDS, Database
from studio.database.migrate import migrate
from studio.errors import DataFolderUnusable
from studio.face_photos import FacePhotos
from studio.faces.process import FaceProcess
from studio.gallery import Gallery
from studio.id_photo.reading import IdDocument, read_documents
from studio.id_photos import IdPhotos
from studio.jobs import Jobs
from studio.library.reading import Library, read_library
from studio.loras import LoraFolders
from studio.overview import Overview
from studio.photos import Photos
from studio.poses import Poses
from studio.previews import Previews
from studio.queue import DurableQueue, prepare_durable_database
from studio.settings import Settings
from studio.store import Store, storage_errors
from studio.subjects import Subjects
from studio.trainings import Trainings


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundations:
    """What every process of the studio stands on: opened, migrated, checked."""

    settings: Settings
    database: Database
    store: Store
    library: Library
    documents: Mapping[str, IdDocument]
    loras: LoraFolders
    previews: Previews
    queue: DurableQueue
    faces: FaceProcess
    closing: ExitStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The domain's parts for one owner."""

    subjects: Subjects
    photos: Photos
    trainings: Trainings
    jobs: Jobs
    gallery: Gallery
    animations: Animations
    catalogue: Catalogue
    poses: Poses
    face_photos: FacePhotos
    id_photos: IdPhotos
    overview: Overview


def lay_foundations(settings: Settings, wait_seconds: float = WAIT_SECONDS) -> Foundations:
    """Open everything in the data folder. Raises StorageError, BrokenLibrary.

    wait_seconds: how long a write of this process waits for another one's.
    """
    data = settings.data_folder
    make_data_folder(data)
    library = read_library(settings.presets_dir, settings.prompts_dir)
    documents = read_documents(settings.presets_dir / "id")
    database, queue, faces = (
        Database(settings.studio_database, wait_seconds),
        DurableQueue(settings.durable_database),
        FaceProcess(),
    )
    migrate(database, data / ".migrating")
    prepare_durable_database(settings.durable_database, data / ".migrating")
    closing = ExitStack()
    for part in (database, queue, faces):
        closing.callback(part.close)
    return Foundations(
        settings=settings,
        database=database,
        store=Store(settings.store_address, data / "cache"),
        library=library,
        documents=documents,
        loras=LoraFolders(
            folders=settings.lora_folders,
            others={"embedding": settings.embedding_folders, "checkpoint": settings.checkpoint_folders},
        ),
        previews=Previews(folder=data / "cache" / "previews"),
        queue=queue,
        faces=faces,
        closing=closing,
    )


def parts_for(owner_id: str, base: Foundations) -> Parts:
    """The domain's parts for one owner."""
    database, store, settings = base.database, base.store, base.settings
    poses = Poses(database=database, store=store, shipped=settings.presets_dir / "poses", owner_id=owner_id)
    gallery = Gallery(database=database, store=store, owner_id=owner_id)
    face_photos = FacePhotos(
        database=database,
        store=store,
        faces=base.faces,
        library=base.library.animals,
        gallery=gallery,
        owner_id=owner_id,
    )
    return Parts(
        subjects=Subjects(database=database, store=store, loras=base.loras, owner_id=owner_id),
        photos=Photos(database=database, store=store, faces=base.faces, owner_id=owner_id),
        trainings=Trainings(
            database=database, store=store, queue=base.queue, settings=settings, owner_id=owner_id
        ),
        jobs=Jobs(
            database=database,
            library=base.library,
            poses=poses,
            face_photos=face_photos,
            previews=base.previews,
            store=store,
            queue=base.queue,
            owner_id=owner_id,
        ),
        gallery=gallery,
        animations=Animations(store=store, gallery=gallery),
        catalogue=Catalogue(database=database, library=base.library, folder=settings.presets_dir),
        poses=poses,
        face_photos=face_photos,
        id_photos=IdPhotos(
            database=database,
            store=store,
            faces=base.faces,
            documents=base.documents,
            gallery=gallery,
            owner_id=owner_id,
        ),
        overview=Overview(database=database, settings=settings, owner_id=owner_id),
    )


def make_data_folder(folder: Path) -> None:
    """Make the data folder and prove that it can be written. Raises DataFolderUnusable, DiskFull."""
    with storage_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-check-{os.getpid()}"
        probe.touch()
        probe.unlink()
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise DataFolderUnusable(folder, "it may not be read and written")

"""The studio's front door: everything the HTTP API, the command line and the worker may ask of the domain.

Every method belongs to one owner, raises only :mod:`studio.errors`, and takes and returns frozen values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Literal, Self

from studio.settings import Settings
from studio.values import (
    LOCAL_OWNER,
    AdapterReport,
    AnimalMatch,
    AnimationFile,
    AnimationFormat,
    AnimationQuery,
    Coach,
    FacePhoto,
    FacePhotoPage,
    FacePhotoQuery,
    IdPhoto,
    IdPhotoPage,
    IdPhotoQuery,
    Image,
    ImagePage,
    ImageQuery,
    Job,
    JobPage,
    JobQuery,
    JobRequest,
    LandmarkDistance,
    NewSubject,
    Offer,
    Photo,
    PhotosAdded,
    PhotoSet,
    Pose,
    Preset,
    PresetCheck,
    Readiness,
    Restored,
    Server,
    SheetRequest,
    StudioStatus,
    Subject,
    Training,
    TrainingOptions,
    UploadedFile,
)

if TYPE_CHECKING:
    from studio.assembly import Foundations
    from studio.id_photo.reading import IdDocument
    from studio.library.animals import AnimalLibrary
    from studio.library.product import Tone


AS_THE_TRAINER_LIKES = TrainingOptions()
AS_IT_PLAYS = AnimationQuery()
NEWEST_JOBS = JobQuery()
NEWEST_IMAGES = ImageQuery()
NEWEST_ID_PHOTOS = IdPhotoQuery()
NEWEST_FACE_PHOTOS = FacePhotoQuery()


class Studio:
    """The whole domain for one owner. Close it, or use it as a context manager. Safe to call from many threads."""

    def __init__(self, foundations: Foundations, owner_id: str = LOCAL_OWNER) -> None:
        from studio.assembly import parts_for

        self._foundations = foundations
        self._parts = parts_for(owner_id, foundations)
        self.settings = foundations.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of database, queue and child processes."""
        self._foundations.closing.close()

    # Subjects

    def create_subject(self, new: NewSubject) -> Subject:
        """Record a person with their consent. Raises ConsentRequired without it."""
        return self._parts.subjects.create(new)

    def list_subjects(self) -> tuple[Subject, ...]:
        """All subjects, newest first."""
        return self._parts.subjects.list()

    def subject(self, subject_id: str) -> Subject:
        """One subject. Raises NotFound."""
        return self._parts.subjects.get(subject_id)

    def erase_subject(self, subject_id: str) -> None:
        """Erase a subject everywhere: photos, trainings, adapters, LoRA files, jobs, images.

        Stops what runs for it first. Raises NotFound.
        """
        self._parts.subjects.erase(subject_id)

    # Photos

    def add_photos(self, subject_id: str, files: Sequence[UploadedFile]) -> PhotosAdded:
        """Read, clean, judge and keep photos; what cannot be read is listed in refused and the rest is kept.

        Judges the whole set again (near-duplicates, other people). Raises NotFound, TooManyPhotos (nothing kept then).
        """
        return self._parts.photos.add(subject_id, files)

    def photos(self, subject_id: str) -> PhotoSet:
        """A subject's photos in the order of upload, with the verdict on the set. Raises NotFound."""
        return self._parts.photos.list(subject_id)

    def coach(self, subject_id: str) -> Coach:
        """What a subject's photos cover, and what one more would help most. Raises NotFound."""
        return self._parts.photos.coach(subject_id)

    def set_caption(self, subject_id: str, photo_id: str, caption: str | None) -> Photo:
        """Give a photo its owner's words for learning, or with None the automatic ones again. Raises NotFound."""
        return self._parts.photos.set_caption(subject_id, photo_id, caption)

    def remove_photo(self, subject_id: str, photo_id: str) -> None:
        """Erase a photo and judge the rest again. Raises NotFound."""
        self._parts.photos.remove(subject_id, photo_id)

    def photo_file(self, photo_id: str, size: Literal["full", "thumbnail"] = "full") -> Path:
        """A JPEG file of the photo; a thumbnail is at most 384 pixels on its longer side. Raises NotFound."""
        return self._parts.photos.file(photo_id, size)

    # Trainings

    def start_training(self, subject_id: str, options: TrainingOptions = AS_THE_TRAINER_LIKES) -> Training:
        """Queue the learning of a subject.

        Raises NotFound, TrainingUnavailable, NotEnoughPhotos, AlreadyRunning.
        """
        return self._parts.trainings.start(subject_id, options)

    def trainings(self, subject_id: str) -> tuple[Training, ...]:
        """A subject's trainings, newest first. Raises NotFound."""
        return self._parts.trainings.list(subject_id)

    def training(self, training_id: str) -> Training:
        """One training. Raises NotFound."""
        return self._parts.trainings.get(training_id)

    def training_report(self, training_id: str) -> AdapterReport:
        """How good what a training learned is, and how it was chosen. Raises NotFound, also without a report."""
        return self._parts.trainings.report(training_id)

    def report_picture(self, training_id: str, picture_id: str) -> Path:
        """The PNG file of a validation picture of a report. Raises NotFound."""
        return self._parts.trainings.report_picture(training_id, picture_id)

    def cancel_training(self, training_id: str) -> Training:
        """Stop a training; a queued one at once, a running one within a second or two. Final ones stay as they are."""
        return self._parts.trainings.cancel(training_id)

    # Jobs

    def create_job(self, request: JobRequest, idempotency_key: str | None = None) -> Job:
        """Queue a job. The same idempotency_key and request return the job made first.

        Raises NotFound (preset, subject, pose, face photo), InvalidRequest (options), NotReady, MissingCapability,
        LearnedElsewhere, IdempotencyConflict.
        """
        return self._parts.jobs.create(request, idempotency_key)

    def jobs(self, query: JobQuery = NEWEST_JOBS) -> JobPage:
        """Jobs, newest first. Raises InvalidRequest for a cursor that is none."""
        return self._parts.jobs.list(query)

    def job(self, job_id: str, *, preview: bool = False) -> Job:
        """One job with its images so far. Cheap enough to poll.

        preview: live previews are made while this is asked again and again. Raises NotFound, StorageError.
        """
        return self._parts.jobs.get(job_id, preview=preview)

    def cancel_job(self, job_id: str) -> Job:
        """Stop a job; a queued one at once, a running one at its next sign of progress. Final ones stay as they are."""
        return self._parts.jobs.cancel(job_id)

    def nearest_picture(self, job_id: str) -> Path:
        """The PNG that came nearest to a job's likeness bar without reaching it. Raises NotFound."""
        return self._parts.jobs.nearest(job_id)

    def retry_job(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again; finished stages are kept. Raises NotFound, NotRetryable."""
        return self._parts.jobs.retry(job_id)

    def redo_job(self, job_id: str, idempotency_key: str | None = None) -> Job:
        """Queue a finished instant job once more with what was learned of the person meanwhile (Job.redo "ready").

        The new job has the same look, words, reference and seeds. Raises NothingLearned, and as create_job does.
        """
        return self._parts.jobs.again(job_id, idempotency_key)

    def job_preview(self, job_id: str) -> Path:
        """The live preview of the running stage, a JPEG or PNG file. Raises NotFound when there is none."""
        return self._parts.jobs.preview(job_id)

    # Images

    def images(self, query: ImageQuery = NEWEST_IMAGES) -> ImagePage:
        """Images, newest first. Raises InvalidRequest for a cursor that is none."""
        return self._parts.gallery.list(query)

    def image(self, image_id: str) -> Image:
        """One image. Raises NotFound."""
        return self._parts.gallery.get(image_id)

    def erase_image(self, image_id: str) -> None:
        """Erase an image and its stage pictures unless another image uses them. Raises NotFound."""
        self._parts.gallery.erase(image_id)

    def set_favourite(self, image_id: str, favourite: bool) -> Image:
        """Mark or unmark a favourite. Raises NotFound."""
        return self._parts.gallery.set_favourite(image_id, favourite)

    def image_file(self, image_id: str, size: Literal["full", "thumbnail"] = "full") -> Path:
        """The PNG with its recipe, or a JPEG thumbnail of at most 384 pixels on its longer side. Raises NotFound."""
        return self._parts.gallery.file(image_id, size)

    def stage_file(self, image_id: str, stage: str) -> Path:
        """The PNG that a stage made of this image. Raises NotFound."""
        return self._parts.gallery.stage_file(image_id, stage)

    def animation_file(
        self, image_id: str, file_format: AnimationFormat, query: AnimationQuery = AS_IT_PLAYS
    ) -> Path:
        """An animation as a file of that format. Raises NotFound, also for a still picture, and BudgetNotMet."""
        return self._parts.animations.file(image_id, file_format, query)

    def animation_files(
        self, image_id: str, query: AnimationQuery = AS_IT_PLAYS
    ) -> tuple[AnimationFile, ...]:
        """An animation in every format with its size; they are made now. Raises NotFound, BudgetNotMet."""
        return self._parts.animations.files(image_id, query)

    def recipe(self, image_id: str) -> dict[str, object]:
        """The whole recipe as JSON values: request, preset, resolved stages, server, seconds. Raises NotFound."""
        return self._parts.gallery.recipe(image_id)

    def archive(self, image_ids: Sequence[str]) -> Iterator[bytes]:
        """A zip file of images, piece by piece. Raises NotFound before the first piece."""
        return self._parts.gallery.archive(image_ids)

    def restore(self, picture: BinaryIO) -> Restored:
        """The settings a Sajin or A1111 picture was made with. Raises BadUpload, NothingToRestore."""
        return self._parts.gallery.restore(picture)

    # Presets and poses

    def presets(self) -> tuple[Preset, ...]:
        """The catalogue, in the order of product and title, with what is missing for each on the servers."""
        return self._parts.catalogue.list()

    def preset(self, name: str) -> Preset:
        """One preset. Raises NotFound."""
        return self._parts.catalogue.get(name)

    def preset_thumbnail(self, name: str) -> Path:
        """A small JPEG or PNG that shows the preset. Raises NotFound."""
        return self._parts.catalogue.thumbnail(name)

    def offers(self) -> tuple[Offer, ...]:
        """The products of the start page, in its order, with what stands in the way of each."""
        return self._parts.catalogue.offers(self.status().training)

    def offer_thumbnail(self, name: str) -> Path:
        """A small JPEG or PNG that shows a product. Raises NotFound."""
        return self._parts.catalogue.offer_thumbnail(name)

    def tones(self) -> Mapping[str, Tone]:
        """The tones a job may choose, by name."""
        return self._foundations.library.tones

    def validate_preset(self, text: str) -> PresetCheck:
        """Check a preset's YAML against schema and library without keeping it."""
        return self._parts.catalogue.validate(text)

    def poses(self) -> tuple[Pose, ...]:
        """The pose pictures: those shipped, then the owner's own."""
        return self._parts.poses.list()

    def add_pose(self, file: UploadedFile) -> Pose:
        """Keep a pose picture. Raises BadUpload."""
        return self._parts.poses.add(file)

    def pose_file(self, pose_id: str) -> Path:
        """The pose picture's file, JPEG or PNG. Raises NotFound."""
        return self._parts.poses.file(pose_id)

    # Face photos and animals

    def animals(self) -> AnimalLibrary:
        """The animals a face can be likened to."""
        return self._foundations.library.animals

    def add_face_photo(
        self, file: UploadedFile, *, consent: bool, subject_id: str | None = None
    ) -> FacePhoto:
        """Keep the square around the head in a photo of one person, for jobs that work from it.

        subject_id: the person, whose erasure then erases it too. Raises ConsentRequired, NotFound, BadUpload, NoFace,
        SeveralFaces, SideFace.
        """
        return self._parts.face_photos.add(file, consent=consent, subject_id=subject_id)

    def face_photos(self, query: FacePhotoQuery = NEWEST_FACE_PHOTOS) -> FacePhotoPage:
        """Face photos, newest first. Raises InvalidRequest for a cursor that is none."""
        return self._parts.face_photos.list(query)

    def face_photo(self, photo_id: str) -> FacePhoto:
        """One face photo. Raises NotFound."""
        return self._parts.face_photos.get(photo_id)

    def face_photo_file(self, photo_id: str) -> Path:
        """Its JPEG file. Raises NotFound."""
        return self._parts.face_photos.file(photo_id)

    def animals_like(self, photo_id: str) -> tuple[AnimalMatch, ...]:
        """Every animal, the one most like the face first, with what they share. Raises NotFound."""
        return self._parts.face_photos.animals(photo_id)

    def erase_face_photo(self, photo_id: str) -> None:
        """Erase a face photo; pictures made from it stay. Raises NotFound."""
        self._parts.face_photos.erase(photo_id)

    def image_landmarks(self, image_id: str) -> LandmarkDistance:
        """How far an image's landmarks are from those of the face photo it was made from. Raises NotFound."""
        return self._parts.face_photos.landmarks(image_id)

    def image_landmarks_drawn(self, image_id: str) -> bytes:
        """A JPEG that shows both faces' landmarks over the image. Raises NotFound."""
        return self._parts.face_photos.drawn_landmarks(image_id)

    # ID photos

    def id_documents(self) -> tuple[IdDocument, ...]:
        """The documents whose rules are known, by name."""
        return tuple(self._parts.id_photos.documents.values())

    def id_document(self, name: str) -> IdDocument:
        """One document. Raises NotFound."""
        return self._parts.id_photos.document(name)

    def make_id_photo(self, file: UploadedFile, document: str, dpi: int | None = None) -> IdPhoto:
        """Make an ID photo of an upload, which is not kept itself.

        Raises NotFound, BadUpload, UnfitPhoto (NoFace, SeveralFaces, SideFace, Sunglasses, HeadCutOff) and
        FileSizeImpossible.
        """
        return self._parts.id_photos.make(file, document, dpi)

    def make_id_photo_of_image(self, image_id: str, document: str, dpi: int | None = None) -> IdPhoto:
        """Make an ID photo of a finished picture. Raises NotFound, UnfitPhoto, FileSizeImpossible."""
        return self._parts.id_photos.make_of_image(image_id, document, dpi)

    def check_id_photo(self, file: UploadedFile, document: str) -> IdPhoto:
        """Whether an upload is acceptable for a document as it is. Raises NotFound, BadUpload, NoFace, SeveralFaces."""
        return self._parts.id_photos.check(file, document)

    def id_photos(self, query: IdPhotoQuery = NEWEST_ID_PHOTOS) -> IdPhotoPage:
        """ID photos and checks, newest first. Raises InvalidRequest for a cursor that is none."""
        return self._parts.id_photos.list(query)

    def id_photo(self, id_photo_id: str) -> IdPhoto:
        """One ID photo or check. Raises NotFound."""
        return self._parts.id_photos.get(id_photo_id)

    def id_photo_file(self, id_photo_id: str) -> Path:
        """The JPEG file of an ID photo. Raises NotFound, also for a check."""
        return self._parts.id_photos.file(id_photo_id)

    def id_photo_check(self, id_photo_id: str) -> Path:
        """A JPEG that shows the check of an ID photo. Raises NotFound."""
        return self._parts.id_photos.drawn(id_photo_id)

    def erase_id_photo(self, id_photo_id: str) -> None:
        """Erase an ID photo or check. Raises NotFound."""
        self._parts.id_photos.erase(id_photo_id)

    def id_photo_sheet(self, request: SheetRequest) -> bytes:
        """A sheet of ID photos to print, PDF or JPEG. Raises NotFound, SheetTooSmall, InvalidRequest."""
        return self._parts.id_photos.sheet(request)

    # The installation

    def servers(self) -> tuple[Server, ...]:
        """The WebUI servers as the worker last saw them."""
        return self._parts.overview.servers()

    def drain_server(self, url: str) -> Server:
        """Let a server take no new work; what runs there goes on to its end. Lasts until resumed. Raises NotFound."""
        return self._parts.overview.drain(url, drained=True)

    def resume_server(self, url: str) -> Server:
        """Let a drained server take work again. Raises NotFound."""
        return self._parts.overview.drain(url, drained=False)

    def status(self) -> StudioStatus:
        """What runs, and what this installation can do."""
        return self._parts.overview.status()

    def ready(self) -> Readiness:
        """Whether a job sent now would be worked on."""
        return self._parts.overview.ready()


def open_studio(settings: Settings, *, owner_id: str = LOCAL_OWNER) -> Studio:
    """Open the studio on its data folder: folders, database (migrated), library (checked), queue client.

    Raises StorageError, BrokenLibrary.
    """
    from studio.assembly import lay_foundations

    return Studio(lay_foundations(settings), owner_id)

"""The order behind a job's row."""

from __future__ import annotations

from sqlalchemy.orm import Session

from studio.database.tables import FacePhotoRow, ImageRow, JobRow, SubjectRow
from studio.errors import NoFitPhoto, NotFound
from studio.faces.square import square_around
from studio.faces.values import PhotoFindings
from studio.library.product import PresetSpec, Tone
from studio.library.reading import Library
from studio.photo_rows import best_photo, photos_of
from studio.planning.plan import NO_ANIMAL, USUAL_LORA_WEIGHT, Corners, Identity, Order
from studio.poses import Poses, is_skeleton
from studio.promise import pictures_planned
from studio.subjects import adapters_of
from studio.values import JobOptions
from training.method import FORMS

NOBODY = "person"


def order_of(session: Session, row: JobRow, poses: Poses, library: Library) -> Order:
    """What a job's row orders, with all that was learned of the subject where the preset uses it.

    Raises NotFound, NoFitPhoto for an instant identity without a photo to take the face from.
    """
    spec = PresetSpec.model_validate(row.product)
    options = JobOptions.model_validate(row.options)
    photo, head = _photo(session, row, spec, options)
    subject = session.get(SubjectRow, row.subject_id) if row.subject_id else None
    class_noun = subject.class_noun if subject else NOBODY
    learned = spec.identity == "lora" or (spec.identity == "instant" and options.photo is None)
    adapters = adapters_of(session, subject.id) if subject and learned else ()
    return Order(
        preset=row.preset,
        spec=spec,
        options=options,
        count=pictures_planned(row),
        seed=row.seed,
        identities=tuple(
            Identity(
                trigger=adapter.trigger,
                class_noun=class_noun,
                lora=adapter.name,
                checkpoint=adapter.checkpoint,
                form=FORMS.validate_python(adapter.form),
                weight=USUAL_LORA_WEIGHT if adapter.weight is None else adapter.weight,
            )
            for adapter in adapters
        ),
        class_noun=class_noun,
        pose=poses.path(options.pose) if options.pose else None,
        pose_is_skeleton=options.pose is not None and is_skeleton(options.pose),
        photo=photo,
        head=head,
        image=_image_path(session, row, options.image) if options.image else None,
        reference=_reference(session, row, options.reference, poses)
        if options.reference and spec.takes_reference
        else None,
        animal=_animal_words(library, options.animal) if spec.names_animal and options.animal else NO_ANIMAL,
        tone=_tone(library, options.tone) if options.tone else None,
        demonstration=library.animals.demonstration if spec.names_animal else None,
    )


def _photo(
    session: Session, row: JobRow, spec: PresetSpec, options: JobOptions
) -> tuple[str | None, Corners | None]:
    """The photo a job works from and the square round its head, None where that is all of it.

    It is the face photo that the job names, else for an instant identity the subject's best one.
    """
    if not spec.takes_photo:
        return None, None
    if options.photo:
        return _photo_path(session, row, options.photo), None
    if spec.identity != "instant":
        return None, None
    best = best_photo(photos_of(session, row.subject_id)) if row.subject_id else None
    if best is None:
        raise NoFitPhoto(row.subject_id, row.preset)
    face = PhotoFindings.model_validate(best.findings).main_face
    head = square_around(face.box, (best.width, best.height)).corners() if face else None
    return best.path, head


def _reference(session: Session, row: JobRow, picture_id: str, poses: Poses) -> str:
    """The path of the picture that a composition takes after: an image of the owner's, or a picture they sent.

    Raises NotFound.
    """
    image = session.get(ImageRow, picture_id)
    if image is not None and image.owner_id == row.owner_id:
        return image.path
    try:
        return poses.path(picture_id)
    except NotFound as error:
        raise NotFound("reference", picture_id) from error


def _photo_path(session: Session, row: JobRow, photo_id: str) -> str:
    photo = session.get(FacePhotoRow, photo_id)
    if photo is None or photo.owner_id != row.owner_id:
        raise NotFound("face_photo", photo_id)
    return photo.path


def _image_path(session: Session, row: JobRow, image_id: str) -> str:
    image = session.get(ImageRow, image_id)
    if image is None or image.owner_id != row.owner_id:
        raise NotFound("image", image_id)
    return image.path


def _animal_words(library: Library, name: str) -> str:
    animal = library.animals.animals.get(name)
    if animal is None:
        raise NotFound("animal", name)
    return animal.prompt


def _tone(library: Library, name: str) -> Tone:
    tone = library.tones.get(name)
    if tone is None:
        raise NotFound("tone", name)
    return tone

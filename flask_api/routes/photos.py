"""The photos of a subject: uploads with verdicts."""

from __future__ import annotations

from typing import BinaryIO, cast

from apiflask import APIBlueprint
from flask import Response
from werkzeug.datastructures import FileStorage

from flask_api.answers import PhotoAnswer, PhotosAnswer
from flask_api.contents import PICTURE_RESPONSES
from flask_api.context import presenter, studio
from flask_api.files import picture_file
from flask_api.forms import CaptionForm, PhotosForm
from studio.errors import NotFound
from studio.values import UploadedFile

photos = APIBlueprint("photos", __name__, url_prefix="/api/v1/subjects/<subject_id>/photos", tag="Photos")


def uploaded(file: FileStorage) -> UploadedFile:
    """A form's file as the studio takes it."""
    return UploadedFile(filename=file.filename or "", stream=cast(BinaryIO, file.stream))


@photos.get("")
@photos.output(PhotosAnswer)
def list_photos(subject_id: str) -> PhotosAnswer:
    """The photos in the order of upload, with the verdict on the set."""
    return presenter().photos(studio().photos(subject_id))


@photos.post("")
@photos.input(PhotosForm, location="files", arg_name="form")
@photos.output(PhotosAnswer, status_code=201)
def add_photos(subject_id: str, form: PhotosForm) -> PhotosAnswer:
    """Add photos; each is kept with its verdict, or refused with the reason."""
    return presenter().photos(studio().add_photos(subject_id, [uploaded(file) for file in form.photos]))


@photos.patch("/<photo_id>")
@photos.input(CaptionForm, arg_name="form")
@photos.output(PhotoAnswer)
def caption_photo(subject_id: str, photo_id: str, form: CaptionForm) -> PhotoAnswer:
    """Say in your own words what varies in a photo, for learning."""
    return presenter().photo(studio().set_caption(subject_id, photo_id, form.caption))


@photos.delete("/<photo_id>")
@photos.output({}, status_code=204)
def remove_photo(subject_id: str, photo_id: str) -> str:
    """Erase a photo."""
    studio().remove_photo(subject_id, photo_id)
    return ""


@photos.get("/<photo_id>/file")
@photos.doc(responses=PICTURE_RESPONSES)
def read_photo(subject_id: str, photo_id: str) -> Response:
    """The photo, upright and without metadata."""
    _check_belongs(subject_id, photo_id)
    return picture_file(studio().photo_file(photo_id))


@photos.get("/<photo_id>/thumbnail")
@photos.doc(responses=PICTURE_RESPONSES)
def read_photo_thumbnail(subject_id: str, photo_id: str) -> Response:
    """A small version of the photo."""
    _check_belongs(subject_id, photo_id)
    return picture_file(studio().photo_file(photo_id, "thumbnail"))


def _check_belongs(subject_id: str, photo_id: str) -> None:
    if not any(photo.id == photo_id for photo in studio().photos(subject_id).items):
        raise NotFound("photo", photo_id)

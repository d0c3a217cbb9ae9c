"""Face to animal: face photos, the animals they are like, and how far a picture keeps the face."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from flask_api.answers import (
    AnimalMatchesAnswer,
    AnimalsAnswer,
    FacePhotoAnswer,
    FacePhotosAnswer,
    LandmarksAnswer,
)
from flask_api.contents import PICTURE_RESPONSES
from flask_api.context import presenter, studio
from flask_api.files import picture_file
from flask_api.forms import FacePhotoForm, FacePhotosQuery
from flask_api.routes.images import images
from flask_api.routes.photos import uploaded

animals = APIBlueprint("animals", __name__, url_prefix="/api/v1/animals", tag="Animals")
face_photos = APIBlueprint("face_photos", __name__, url_prefix="/api/v1/face-photos", tag="Animals")


@animals.get("")
@animals.output(AnimalsAnswer)
def list_animals() -> AnimalsAnswer:
    """The animals a face can be likened to."""
    items = presenter().animals(studio().animals())
    return AnimalsAnswer(items=items, next=None)


@face_photos.get("")
@face_photos.input(FacePhotosQuery, location="query", arg_name="query")
@face_photos.output(FacePhotosAnswer)
def list_face_photos(query: FacePhotosQuery) -> FacePhotosAnswer:
    """Face photos, newest first."""
    page = studio().face_photos(query)
    return FacePhotosAnswer(items=[presenter().face_photo(photo) for photo in page.items], next=page.next)


@face_photos.post("")
@face_photos.input(FacePhotoForm, location="files", arg_name="form")
@face_photos.output(FacePhotoAnswer, status_code=201)
def add_face_photo(form: FacePhotoForm) -> FacePhotoAnswer:
    """Keep the square around the head in a photo of one person, for jobs that work from it."""
    photo = studio().add_face_photo(uploaded(form.picture), consent=form.consent, subject_id=form.subject)
    return presenter().face_photo(photo)


@face_photos.get("/<face_photo_id>")
@face_photos.output(FacePhotoAnswer)
def read_face_photo(face_photo_id: str) -> FacePhotoAnswer:
    """One face photo."""
    return presenter().face_photo(studio().face_photo(face_photo_id))


@face_photos.delete("/<face_photo_id>")
@face_photos.output({}, status_code=204)
def erase_face_photo(face_photo_id: str) -> str:
    """Erase a face photo; pictures made from it stay."""
    studio().erase_face_photo(face_photo_id)
    return ""


@face_photos.get("/<face_photo_id>/file")
@face_photos.doc(responses=PICTURE_RESPONSES)
def read_face_photo_file(face_photo_id: str) -> Response:
    """The square around the head."""
    return picture_file(studio().face_photo_file(face_photo_id))


@face_photos.get("/<face_photo_id>/animals")
@face_photos.output(AnimalMatchesAnswer)
def rank_animals(face_photo_id: str) -> AnimalMatchesAnswer:
    """Every animal, the one most like the face first, with what both share."""
    matches = studio().animals_like(face_photo_id)
    return AnimalMatchesAnswer(items=[presenter().animal_match(match) for match in matches], next=None)


@images.get("/<identifier:image_id>/landmarks")
@images.output(LandmarksAnswer)
def read_landmarks(image_id: str) -> LandmarksAnswer:
    """How far an image's landmarks are from those of the face photo it was made from."""
    return presenter().landmarks(image_id, studio().image_landmarks(image_id))


@images.get("/<identifier:image_id>/landmarks/file")
@images.doc(responses=PICTURE_RESPONSES)
def read_drawn_landmarks(image_id: str) -> Response:
    """The landmarks of photo and image drawn over the image."""
    response = Response(studio().image_landmarks_drawn(image_id), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-cache"
    return response

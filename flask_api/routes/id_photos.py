"""ID photos: the documents, making and checking photos for them, sheets to print."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from flask_api.answers import IdDocumentAnswer, IdDocumentsAnswer, IdPhotoAnswer, IdPhotosAnswer
from flask_api.contents import PICTURE_RESPONSES, SHEET_RESPONSES
from flask_api.context import presenter, studio
from flask_api.files import picture_file
from flask_api.forms import IdCheckForm, IdPhotoForm, IdPhotosQuery, ImageIdPhotoForm, SheetQuery
from flask_api.routes.images import images
from flask_api.routes.photos import uploaded

id_documents = APIBlueprint("id_documents", __name__, url_prefix="/api/v1/id-documents", tag="ID photos")
id_photos = APIBlueprint("id_photos", __name__, url_prefix="/api/v1/id-photos", tag="ID photos")


@id_documents.get("")
@id_documents.output(IdDocumentsAnswer)
def list_id_documents() -> IdDocumentsAnswer:
    """The documents whose rules are known."""
    items = [presenter().id_document(document) for document in studio().id_documents()]
    return IdDocumentsAnswer(items=items, next=None)


@id_documents.get("/<identifier:name>")
@id_documents.output(IdDocumentAnswer)
def read_id_document(name: str) -> IdDocumentAnswer:
    """One document's rule."""
    return presenter().id_document(studio().id_document(name))


@id_photos.get("")
@id_photos.input(IdPhotosQuery, location="query", arg_name="query")
@id_photos.output(IdPhotosAnswer)
def list_id_photos(query: IdPhotosQuery) -> IdPhotosAnswer:
    """ID photos and checks, newest first."""
    page = studio().id_photos(query)
    return IdPhotosAnswer(items=[presenter().id_photo(photo) for photo in page.items], next=page.next)


@id_photos.post("")
@id_photos.input(IdPhotoForm, location="files", arg_name="form")
@id_photos.output(IdPhotoAnswer, status_code=201)
def make_id_photo(form: IdPhotoForm) -> IdPhotoAnswer:
    """Make an ID photo of an uploaded photo, which is not kept itself."""
    made = studio().make_id_photo(uploaded(form.picture), form.document, form.dpi)
    return presenter().id_photo(made)


@id_photos.post("/check")
@id_photos.input(IdCheckForm, location="files", arg_name="form")
@id_photos.output(IdPhotoAnswer, status_code=201)
def check_id_photo(form: IdCheckForm) -> IdPhotoAnswer:
    """Check whether a photo is acceptable for a document as it is."""
    return presenter().id_photo(studio().check_id_photo(uploaded(form.picture), form.document))


@id_photos.get("/sheet")
@id_photos.input(SheetQuery, location="query", arg_name="query")
@id_photos.doc(responses=SHEET_RESPONSES)
def read_sheet(query: SheetQuery) -> Response:
    """A sheet of ID photos to print, in true millimetres."""
    kind, ending = {"pdf": ("application/pdf", "pdf"), "jpeg": ("image/jpeg", "jpg")}[query.format]
    response = Response(studio().id_photo_sheet(query.request()), mimetype=kind)
    response.headers["Content-Disposition"] = f'inline; filename="sajin-sheet-{query.paper}.{ending}"'
    return response


@id_photos.get("/<identifier:id_photo_id>")
@id_photos.output(IdPhotoAnswer)
def read_id_photo(id_photo_id: str) -> IdPhotoAnswer:
    """One ID photo or check."""
    return presenter().id_photo(studio().id_photo(id_photo_id))


@id_photos.delete("/<identifier:id_photo_id>")
@id_photos.output({}, status_code=204)
def erase_id_photo(id_photo_id: str) -> str:
    """Erase an ID photo or check."""
    studio().erase_id_photo(id_photo_id)
    return ""


@id_photos.get("/<identifier:id_photo_id>/file")
@id_photos.doc(responses=PICTURE_RESPONSES)
def read_id_photo_file(id_photo_id: str) -> Response:
    """The photo as a JPEG file with its resolution."""
    photo = studio().id_photo(id_photo_id)
    return picture_file(studio().id_photo_file(id_photo_id), f"{photo.report.document}.jpg")


@id_photos.get("/<identifier:id_photo_id>/check")
@id_photos.doc(responses=PICTURE_RESPONSES)
def read_id_photo_check(id_photo_id: str) -> Response:
    """The photo with each measured length drawn over it."""
    return picture_file(studio().id_photo_check(id_photo_id))


@images.post("/<identifier:image_id>/id-photos")
@images.input(ImageIdPhotoForm, arg_name="form")
@images.output(IdPhotoAnswer, status_code=201)
def make_id_photo_of_image(image_id: str, form: ImageIdPhotoForm) -> IdPhotoAnswer:
    """Make an ID photo of a finished picture."""
    return presenter().id_photo(studio().make_id_photo_of_image(image_id, form.document, form.dpi))

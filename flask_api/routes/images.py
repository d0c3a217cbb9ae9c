"""Images: results with their recipes."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from flask_api.answers import AnimationFilesAnswer, ImageAnswer, ImagesAnswer, RestoredAnswer
from flask_api.contents import ANIMATION_RESPONSES, PICTURE_RESPONSES, RECIPE_RESPONSES, ZIP_RESPONSES
from flask_api.context import presenter, studio
from flask_api.files import picture_file
from flask_api.forms import AnimationFileQuery, ArchiveForm, FavouriteForm, ImagesQuery, PictureForm
from flask_api.routes.photos import uploaded
from studio.animation.formats import MEDIA_TYPES
from studio.values import AnimationFormat

images = APIBlueprint("images", __name__, url_prefix="/api/v1/images", tag="Images")


@images.get("")
@images.input(ImagesQuery, location="query", arg_name="query")
@images.output(ImagesAnswer)
def list_images(query: ImagesQuery) -> ImagesAnswer:
    """Images, newest first."""
    page = studio().images(query)
    return ImagesAnswer(items=[presenter().image(image) for image in page.items], next=page.next)


@images.get("/<identifier:image_id>")
@images.output(ImageAnswer)
def read_image(image_id: str) -> ImageAnswer:
    """One image."""
    return presenter().image(studio().image(image_id))


@images.patch("/<identifier:image_id>")
@images.input(FavouriteForm, arg_name="form")
@images.output(ImageAnswer)
def mark_image(image_id: str, form: FavouriteForm) -> ImageAnswer:
    """Mark an image as a favourite, or no longer."""
    return presenter().image(studio().set_favourite(image_id, form.favourite))


@images.delete("/<identifier:image_id>")
@images.output({}, status_code=204)
def erase_image(image_id: str) -> str:
    """Erase an image with the pictures of its stages."""
    studio().erase_image(image_id)
    return ""


@images.get("/<identifier:image_id>/file")
@images.doc(responses=PICTURE_RESPONSES)
def read_file(image_id: str) -> Response:
    """The picture, with its recipe inside."""
    image = studio().image(image_id)
    return picture_file(studio().image_file(image_id), f"{image.preset}-{image.seed}.png")


@images.get("/<identifier:image_id>/thumbnail")
@images.doc(responses=PICTURE_RESPONSES)
def read_thumbnail(image_id: str) -> Response:
    """A small version of the picture."""
    return picture_file(studio().image_file(image_id, "thumbnail"))


@images.get("/<identifier:image_id>/animation")
@images.input(AnimationFileQuery, location="query", arg_name="query")
@images.output(AnimationFilesAnswer)
def list_animation_files(image_id: str, query: AnimationFileQuery) -> AnimationFilesAnswer:
    """An animation in every format, with sizes."""
    return presenter().animation_files(image_id, studio().animation_files(image_id, query), query)


@images.get("/<identifier:image_id>/animation/<any(gif, mp4, webp, apng):file_format>")
@images.input(AnimationFileQuery, location="query", arg_name="query")
@images.doc(responses=ANIMATION_RESPONSES)
def read_animation(image_id: str, file_format: AnimationFormat, query: AnimationFileQuery) -> Response:
    """An animation as a file."""
    image = studio().image(image_id)
    name = f"{image.preset}-{image.seed}.{'png' if file_format == 'apng' else file_format}"
    file = studio().animation_file(image_id, file_format, query)
    return picture_file(file, name, MEDIA_TYPES[file_format])


@images.get("/<identifier:image_id>/stages/<stage>")
@images.doc(responses=PICTURE_RESPONSES)
def read_stage(image_id: str, stage: str) -> Response:
    """What one stage made of the picture."""
    return picture_file(studio().stage_file(image_id, stage))


@images.get("/<identifier:image_id>/recipe")
@images.doc(responses=RECIPE_RESPONSES)
def read_recipe(image_id: str) -> dict[str, object]:
    """Everything the picture was made with."""
    return studio().recipe(image_id)


@images.post("/archive")
@images.input(ArchiveForm, arg_name="form")
@images.doc(responses=ZIP_RESPONSES)
def pack_images(form: ArchiveForm) -> Response:
    """Several images as one zip file."""
    response = Response(studio().archive(form.ids), mimetype="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="sajin.zip"'
    return response


@images.post("/restore")
@images.input(PictureForm, location="files", arg_name="form")
@images.output(RestoredAnswer)
def restore(form: PictureForm) -> RestoredAnswer:
    """Read the settings that a Sajin or A1111 picture was made with."""
    restored = studio().restore(uploaded(form.picture).stream)
    return RestoredAnswer(**restored.model_dump())

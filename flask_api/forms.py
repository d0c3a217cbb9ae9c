"""What the API accepts: request bodies and queries, strict about types and unknown fields."""

from __future__ import annotations

from typing import Annotated, Any, List, Literal  # noqa: UP035  (apiflask looks for typing.List)

from apiflask.fields import UploadFile
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from studio.values import (
    MAX_PHOTOS,
    AnimationQuery,
    Dpi,
    FacePhotoQuery,
    IdPhotoQuery,
    ImageQuery,
    JobOptions,
    JobQuery,
    JobRequest,
    NewCaption,
    NewSubject,
    SheetPicture,
    SheetRequest,
    TrainingOptions,
)

MAX_PHOTO_PARTS = 200  # more are read than the studio takes, so that it can say which limit was passed
MAX_ARCHIVED = 500


def _spelled_boolean(text: object) -> object:
    """Take true and false as queries spell them, and nothing else."""
    return (
        {"true": True, "false": False}.get(text, "neither true nor false") if isinstance(text, str) else text
    )


QueryBoolean = Annotated[bool, BeforeValidator(_spelled_boolean)]


class Form(BaseModel):
    """A strict request body: JSON types are taken as they are, unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class SubjectForm(NewSubject, strict=True):
    """A person to be learned. consent must be true: the person in the photos agreed."""

    consent: Annotated[bool, Field(json_schema_extra={"const": True})]


class ServerForm(Form):
    """A server of GET /servers. url: as it stands there."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]


class CaptionForm(NewCaption, strict=True):
    """A photo's words for learning, in one line; null for the automatic ones again."""


class TrainingForm(TrainingOptions, strict=True):
    """How to learn; everything may be left out."""


class OptionsForm(JobOptions, strict=True):
    """What may be changed about a preset, for the whole job or stage by stage."""


class JobForm(JobRequest, strict=True):
    """A request for pictures."""

    options: OptionsForm = OptionsForm()


class JobsQuery(JobQuery):
    """Which jobs to list."""


class WatchQuery(BaseModel):
    """How a job is read. preview: a live preview is wanted, while this is asked again at least every 15 seconds."""

    preview: QueryBoolean = False


class ImagesQuery(ImageQuery):
    """Which images to list."""

    favourite: QueryBoolean | None = None


class FavouriteForm(Form):
    """Whether an image is a favourite."""

    favourite: bool


class AnimationFileQuery(AnimationQuery):
    """How an animation is written."""


class ArchiveForm(Form):
    """The images to pack."""

    ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=MAX_ARCHIVED)
    ]


class PresetTextForm(Form):
    """A preset as YAML text."""

    yaml: Annotated[str, Field(max_length=100_000)]


class PhotosForm(BaseModel):
    """One or several photos: JPEG, PNG, WebP or HEIC."""

    photos: Annotated[
        List[UploadFile],  # noqa: UP006
        Field(min_length=1, max_length=MAX_PHOTO_PARTS, json_schema_extra={"maxItems": MAX_PHOTOS}),
    ]


class PictureForm(BaseModel):
    """One picture."""

    picture: UploadFile


DocumentName = Annotated[str, Field(min_length=1, max_length=100)]


class FacePhotoForm(BaseModel):
    """A photo of one person. consent must be true: the person in the photo agreed to this use.

    subject: id of the person, if it is one of the people; erasing the person then erases the photo.
    """

    picture: UploadFile
    consent: Annotated[QueryBoolean, Field(json_schema_extra={"const": True})]
    subject: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class FacePhotosQuery(FacePhotoQuery):
    """Which face photos to list."""


class IdPhotoForm(BaseModel):
    """A photo of one person, and the document it is for. dpi: the document's own resolution if left out."""

    picture: UploadFile
    document: DocumentName
    dpi: Dpi | None = None


class IdCheckForm(BaseModel):
    """A photo as it is, and the document it is for."""

    picture: UploadFile
    document: DocumentName


class ImageIdPhotoForm(Form):
    """The document that an image is to be used for. dpi: the document's own resolution if left out."""

    document: DocumentName
    dpi: Dpi | None = None


class IdPhotosQuery(IdPhotoQuery):
    """Which ID photos to list."""


SHEET_PHOTOS = r"^[0-9a-f]{1,64}(:[1-9][0-9]?)?(,[0-9a-f]{1,64}(:[1-9][0-9]?)?){0,19}$"


class SheetQuery(BaseModel):
    """A sheet to print.

    photos: ids of ID photos, comma separated; ":4" behind an id prints it four times, without a number it takes its
    share of the room. gap: mm between pictures. dpi: of a JPEG.
    """

    model_config = ConfigDict(extra="forbid")

    photos: Annotated[str, Field(max_length=2000, pattern=SHEET_PHOTOS)]
    paper: Literal["10x15", "13x18", "a4", "4x6in", "5x7in"] = "10x15"
    format: Literal["pdf", "jpeg"] = "pdf"
    gap: Annotated[float, Field(ge=0, le=20)] = 2.0
    cut_marks: QueryBoolean = True
    dpi: Annotated[int, Field(ge=100, le=600)] = 300

    def request(self) -> SheetRequest:
        """The same as the studio takes it."""
        pictures = tuple(_sheet_picture(*part.split(":")) for part in self.photos.split(","))
        return SheetRequest(photos=pictures, **self.model_dump(exclude={"photos"}))


def _sheet_picture(name: str, count: str | None = None) -> SheetPicture:
    return SheetPicture(id=name, count=None if count is None else int(count))


class IdempotencyHeaders(BaseModel):
    """A key that makes a repeated request harmless: the first one's answer is given again."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")] | None = None


def query_without_none(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without the null that no query can spell."""
    variants = [variant for variant in schema.get("anyOf", []) if variant.get("type") != "null"]
    if len(variants) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**variants[0], **rest}

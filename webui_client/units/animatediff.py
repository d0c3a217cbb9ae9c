"""AnimateDiff: one request whose pictures are the frames of an animation.

Written to the A1111 contract notes on AnimateDiff (sd-webui-animatediff 2). The script takes exactly one dictionary; a
key it does not know, or a format that is no list, makes it step aside in silence and leaves still pictures. What it
returns are files without a media type, which tell what they are by their first bytes, and then the frames.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui_client.pictures import BadPicture

TITLE = "AnimateDiff"
FRAME = "Frame"
LONGEST = 128
LARGEST_CONTEXT = 32

FileFormat = Literal["GIF", "MP4", "WEBP", "WEBM"]
ClosedLoop = Literal["N", "R-P", "R+P", "A"]
FILE_ORDER: tuple[FileFormat, ...] = ("GIF", "MP4", "WEBP", "WEBM")
NEEDED_OPTIONS = {"pad_cond_uncond": True}
"""Without it prompts of unequal length give two unrelated clips."""


class AnimateDiff(BaseModel):
    """How an animation is made. Field names are the wire's own.

    model: file name of the motion module. video_length: frames that are sampled. fps: of the file. loop_number: how
    often a file is played, 0 for ever. closed_loop: how the end is led back to the beginning; "A" appends the frames
    in reverse where video_length is no more than batch_size. batch_size: how many frames a module sees together, not
    more than video_length, or more frames than asked for are sampled. stride, overlap: of the windows in which longer
    animations are sampled; -1 is a quarter of batch_size. formats: of the files that come back beside the frames.
    latent_power, latent_scale: with img2img, how fast the initial picture fades: frame i keeps
    1 - i**latent_power / latent_scale of it. request_id: becomes part of the file names on the server.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: Annotated[str, Field(min_length=1)]
    video_length: Annotated[int, Field(ge=2, le=LONGEST)] = 16
    fps: Annotated[int, Field(ge=1, le=60)] = 8
    loop_number: Annotated[int, Field(ge=0)] = 0
    closed_loop: ClosedLoop = "R-P"
    batch_size: Annotated[int, Field(ge=1, le=LARGEST_CONTEXT)] = 16
    stride: Literal[1, 2, 4, 8, 16] = 1
    overlap: Annotated[int, Field(ge=-1)] = -1
    formats: Annotated[tuple[FileFormat, ...], Field(min_length=1)] = ("GIF",)
    latent_power: Annotated[float, Field(ge=0, le=10)] = 1.0
    latent_scale: Annotated[float, Field(gt=0, le=128)] = 32.0
    request_id: str = ""

    @model_validator(mode="after")
    def _context_is_filled(self) -> Self:
        if self.batch_size > self.video_length:
            raise ValueError(
                f"batch_size {self.batch_size} is more than the {self.video_length} frames asked for"
            )
        return self

    @property
    def frames(self) -> int:
        """How many frames come back: those sampled, and with a closed loop "A" most of them once more in reverse."""
        mirrored = self.closed_loop == "A" and self.video_length <= self.batch_size
        return 2 * self.video_length - 2 if mirrored else self.video_length

    @property
    def files(self) -> tuple[FileFormat, ...]:
        """The formats in the order in which the server returns them."""
        return tuple(name for name in FILE_ORDER if name in self.formats)

    def spell(self) -> list[Any]:
        """Return the script's arguments."""
        fields = self.model_dump(exclude={"formats"})
        return [{"enable": True, **fields, "format": [*self.files, FRAME]}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation:
    """One animation as it came. frames: how many the file holds (equal neighbours count once); None for a video."""

    data: bytes
    format: FileFormat
    frames: int | None

    @classmethod
    def read(cls, data: bytes) -> Animation | None:
        """Tell an animation by its first bytes; None for anything else. Raises BadPicture for a broken one."""
        kind = format_of(data)
        if kind is None:
            return None
        return cls(
            data=data, format=kind, frames=_pictures_in(data, kind) if kind in ("GIF", "WEBP") else None
        )


def format_of(data: bytes) -> FileFormat | None:
    """The format of a file that may hold an animation, by its first bytes; None for any other."""
    if data[:4] == b"GIF8":
        return "GIF"
    if data[4:8] == b"ftyp":
        return "MP4"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return "WEBM" if data[:4] == b"\x1a\x45\xdf\xa3" else None


def _pictures_in(data: bytes, kind: FileFormat) -> int:
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            image.load()
            return int(getattr(image, "n_frames", 1))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPicture(str(error)) from error

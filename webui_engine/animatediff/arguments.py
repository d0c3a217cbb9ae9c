"""AnimateDiff's one argument, an object, and what a request means by it.

Source: the A1111 contract notes, AnimateDiff sections 1, 2 and 3. What makes the extension step aside in silence, so
that still pictures come back with status 200, is refused here; what it fails at is answered 500, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from pydantic.v1 import BaseModel, Extra, Field, StrictStr, ValidationError

from webui_engine.errors import BadValue, WouldBeIgnored
from webui_engine.tasks import Loop

TITLE = "animatediff"
FILES = ("GIF", "MP4", "WEBP", "WEBM")
PNG, TEXT, FRAME = "PNG", "TXT", "Frame"
FORMATS = (*FILES, PNG, TEXT, FRAME)
LARGEST_CONTEXT = 32
LONGEST_ID = 64
HERE_NOT = {
    "interp": "frames are not interpolated here",
    "video_source": "the engine reads no files of its machine",
    "video_path": "the engine reads no files of its machine",
    "mask_path": "the engine reads no files of its machine",
    "freeinit_enable": "FreeInit is not supported",
}
"""Fields and why another value than their default is refused."""


class AnimateDiffArgs(BaseModel):
    """The extension's fields in its order; unknown keys are errors. model "": the first that fits the checkpoint."""

    model: str = ""
    enable: bool = False
    video_length: int = Field(default=0, ge=0)
    fps: int = Field(default=8, gt=0, le=120)
    loop_number: int = Field(default=0, ge=0, le=65535)
    closed_loop: Loop = Loop.LESS
    batch_size: int = Field(default=16, ge=1, le=LARGEST_CONTEXT)
    stride: int = Field(default=1, ge=1, le=16)
    overlap: int = Field(default=-1, ge=-1)
    format: list[StrictStr] = ["GIF", "PNG"]
    interp: Literal["Off", "FILM"] = "Off"
    interp_x: int = 10
    video_source: str | None = None
    video_path: str = ""
    mask_path: str = ""
    freeinit_enable: bool = False
    freeinit_filter: str = "butterworth"
    freeinit_ds: float = 0.25
    freeinit_dt: float = 0.25
    freeinit_iters: int = 3
    latent_power: float = Field(default=1, ge=0)
    latent_scale: float = Field(default=32, gt=0)
    last_frame: str | None = None
    latent_power_last: float = Field(default=1, ge=0)
    latent_scale_last: float = Field(default=32, gt=0)
    request_id: str = ""
    video_default: bool = False
    is_i2i_batch: bool = False
    prompt_scheduler: Any = None

    class Config:
        """Nothing unknown is let through."""

        extra = Extra.forbid
        allow_mutation = False


@dataclass(frozen=True, slots=True)
class Frames:
    """asked: how many frames the animation has. sampled: how many are made. overlap: of the windows, in frames."""

    asked: int
    sampled: int
    overlap: int


def read_arguments(arguments: Sequence[Any]) -> AnimateDiffArgs | None:
    """What the request asks of AnimateDiff; None where it is off.

    Raises WouldBeIgnored, and BadValue for what the extension answers 500.
    """
    if not arguments or arguments[0] is False:
        return None
    if not isinstance(arguments[0], dict):
        raise WouldBeIgnored("animatediff args", arguments[0], "one object was expected")
    args = _parsed(arguments[0])
    if not args.enable:
        return None
    _require_formats(args)
    for field, reason in HERE_NOT.items():
        if getattr(args, field) != AnimateDiffArgs.__fields__[field].default:
            raise WouldBeIgnored(f"animatediff {field}", getattr(args, field), reason)
    if args.request_id != PurePath(args.request_id).name or len(args.request_id) > LONGEST_ID:
        raise WouldBeIgnored("animatediff request_id", args.request_id, "it becomes part of a file name")
    return args


def frames_of(args: AnimateDiffArgs) -> Frames:
    """How many frames the request means; BadValue for windows that share all of their frames."""
    overlap = args.batch_size // 4 if args.overlap == -1 else args.overlap
    if overlap >= args.batch_size:
        raise BadValue("animatediff overlap", overlap, f"it has to be less than batch_size {args.batch_size}")
    return Frames(
        asked=args.video_length or args.batch_size,
        sampled=max(args.video_length, args.batch_size),
        overlap=overlap,
    )


def _parsed(given: dict[str, Any]) -> AnimateDiffArgs:
    try:
        return AnimateDiffArgs.parse_obj(given)
    except ValidationError as error:
        problems = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
        wrong = {str(item["loc"][0]) for item in error.errors()}
        kind = WouldBeIgnored if wrong <= {"closed_loop", "format", "interp", "stride"} else BadValue
        raise kind("animatediff args", sorted(wrong), problems) from error


def _require_formats(args: AnimateDiffArgs) -> None:
    unknown = [name for name in args.format if name not in FORMATS]
    if unknown:
        raise WouldBeIgnored("animatediff format", unknown, f"known are {', '.join(FORMATS)}")
    if not set(args.format) & {*FILES, PNG}:
        raise BadValue(
            "animatediff format", args.format, f"one of {', '.join((*FILES, PNG))} has to be in it"
        )

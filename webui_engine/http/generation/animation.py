"""AnimateDiff in a request: its clip for the core, and the animations that its frames become in the answer.

Source: the A1111 contract notes, AnimateDiff sections 2 to 5 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from webui_engine import __version__
from webui_engine.animatediff.arguments import (
    FRAME,
    PNG,
    TEXT,
    AnimateDiffArgs,
    Frames,
    frames_of,
    read_arguments,
)
from webui_engine.animatediff.files import Film, written
from webui_engine.animatediff.travel import read_travel
from webui_engine.errors import UnknownName, WouldBeIgnored
from webui_engine.http import pictures
from webui_engine.http.generation import fields
from webui_engine.http.options import Effective, write_atomically
from webui_engine.http.pictures import FileForm, file_bytes
from webui_engine.http.schema import GenerationRequest
from webui_engine.tasks import Clip, Fading, GenerationTask, Loop, Pairs, Sampled

if TYPE_CHECKING:
    from webui_engine.animatediff.modules import MotionModuleInfo
    from webui_engine.diffusion.engine import Engine

HASH_DIGITS, NUMBER_DIGITS = 8, 5
FADING = ("latent_power", "latent_scale", "latent_power_last", "latent_scale_last")
VERSION = f"sajin-{__version__}"

Frame = tuple[Image.Image, str]
"""A picture and its infotext."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation:
    """An animation that can be made. module: what the request's model means."""

    args: AnimateDiffArgs
    frames: Frames
    module: MotionModuleInfo

    @property
    def sends_frames(self) -> bool:
        """Whether the frames come after the files in the answer."""
        return FRAME in self.args.format

    def shown(self, sampled: Sequence[Frame]) -> list[Frame]:
        """The frames of one animation out of those that were sampled for it; "A" plays a single window back."""
        frames = list(sampled[: self.frames.asked])
        played_back = self.args.closed_loop is Loop.ALL and self.frames.asked <= self.args.batch_size
        return [*frames, *frames[-2:0:-1]] if played_back else frames

    def pairs(self, *, from_picture: bool) -> Pairs:
        """The infotext's one pair, in the extension's order."""
        args = self.args
        told: dict[str, Any] = {
            "model": self.module.name,
            "video_length": self.frames.asked,
            "fps": args.fps,
            "loop_number": args.loop_number,
            "closed_loop": args.closed_loop.value,
            "batch_size": args.batch_size,
            "stride": args.stride,
            "overlap": self.frames.overlap,
            "interp": args.interp,
            "interp_x": args.interp_x,
            "freeinit_enable": args.freeinit_enable,
        }
        if args.request_id:
            told["request_id"] = args.request_id
        told["mm_hash"] = self.module.hash[:HASH_DIGITS]
        if from_picture:
            told |= {name: f"{getattr(args, name):g}" for name in FADING}
        told["version"] = VERSION
        return (("AnimateDiff", ", ".join(f"{key}: {value}" for key, value in told.items())),)


def read_animation(arguments: Sequence[Any], engine: Engine) -> Animation | None:
    """The animation a request asks for; None for still pictures. Raises UnknownName, WouldBeIgnored, BadValue."""
    args = read_arguments(arguments)
    if args is None:
        return None
    return Animation(args=args, frames=frames_of(args), module=_module(args.model, engine))


def _module(name: str, engine: Engine) -> MotionModuleInfo:
    listing = engine.motion_modules()
    for info in listing if name else engine.fitting_motion_modules():
        if name in ("", info.name, info.path.stem):
            return info
    raise UnknownName("motion module", name, [info.name for info in listing])


def animated(
    task: GenerationTask,
    animation: Animation,
    request: GenerationRequest,
    styles: Sequence[fields.Style],
    options: Effective,
) -> GenerationTask:
    """The task whose batches are animations; the request's own batch_size means nothing."""
    args, frames = animation.args, animation.frames
    fields.whole(
        "animatediff frames x n_iter", frames.sampled * task.n_iter, least=1, most=fields.MAX_PICTURES
    )
    if len(task.init_images) > 1:
        raise WouldBeIgnored(
            "init_images", f"{len(task.init_images)} pictures", "an animation begins with one"
        )
    picked = fields.pick_styles(styles, request.styles)
    travel = read_travel(request.prompt or "", frames.asked)
    clip = Clip(
        module=animation.module.name,
        context=args.batch_size,
        stride=args.stride,
        overlap=frames.overlap,
        loop=args.closed_loop,
        travel=tuple((frame, fields.worded(text, "", picked)[0]) for frame, text in travel),
        fading=Fading(args.latent_power, args.latent_scale),
        last=_last_frame(args, options) if task.init_images else None,
        last_fading=Fading(args.latent_power_last, args.latent_scale_last),
    )
    return replace(task, batch_size=frames.sampled, clip=clip)


def _last_frame(args: AnimateDiffArgs, options: Effective) -> Image.Image | None:
    if args.last_frame is None:
        return None
    return pictures.flat(pictures.decode(args.last_frame), options.img2img_background)


@dataclass(frozen=True, slots=True)
class Animated:
    """One finished animation: its files by format in the extension's order, its frames, and the seed of the first."""

    files: dict[str, bytes]
    frames: tuple[Frame, ...]
    seed: int


def finished(
    animation: Animation, made: Sequence[Sampled], infotexts: Sequence[str], form: FileForm
) -> list[Animated]:
    """The animations of all batches; infotexts: one for each of made. Without files where only PNG or TXT was asked."""
    step = animation.frames.sampled
    batches = [slice(start, start + step) for start in range(0, len(made), step)]
    return [_finished(animation, made[batch], infotexts[batch], form) for batch in batches]


def _finished(
    animation: Animation, made: Sequence[Sampled], infotexts: Sequence[str], form: FileForm
) -> Animated:
    frames = animation.shown([(one.image, text) for one, text in zip(made, infotexts, strict=True)])
    film = Film(
        frames=[image for image, _ in frames],
        fps=animation.args.fps,
        loops=animation.args.loop_number,
        infotext=infotexts[0] if form.with_infotext else "",
        exif=pictures.exif_of(infotexts[0]) if form.with_infotext else b"",
    )
    return Animated(written(film, animation.args.format), tuple(frames), made[0].seed)


def save(animation: Animation, one: Animated, outputs: Path, form: FileForm) -> None:
    """Write an animation's files below outputs, named as AnimateDiff does: number, seed, request_id."""
    folder = outputs / "AnimateDiff" / date.today().isoformat()
    number = len({path.name[:NUMBER_DIGITS] for path in folder.iterdir()}) if folder.is_dir() else 0
    suffix = f"-{animation.args.request_id}" if animation.args.request_id else ""
    stem = f"{number:0{NUMBER_DIGITS}}-{one.seed}{suffix}"
    for kind, content in one.files.items():
        write_atomically(folder / f"{stem}.{kind.lower()}", content)
    for index, (image, text) in enumerate(one.frames) if PNG in animation.args.format else ():
        content = file_bytes(image, replace(form, kind="png"), {"parameters": text})
        write_atomically(folder / stem / f"{index:05}.png", content)
    if TEXT in animation.args.format:
        write_atomically(folder / f"{stem}.txt", f"{one.frames[0][1]}\n".encode())

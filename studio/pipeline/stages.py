"""The stages. Each has the same shape, is pure but for its one call of a server, and is registered by its ``use``."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, cast

from PIL import Image

from studio.animation.clip import Clip, clip_of, kept, opened, stacked
from studio.animation.crops import Crop, cut, pasted
from studio.planning.plan import (
    AnyPlannedStage,
    Enlargement,
    PlannedControl,
    PlannedDetailer,
    PlannedExtras,
    PlannedFaceSwap,
    PlannedStage,
)
from webui_client.pictures import Picture
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.animatediff import AnimateDiff
from webui_client.units.controlnet import ControlNetUnit
from webui_client.units.faceswap import Swapper
from webui_client.units.identity import Control, InstantId, IpAdapter, recipe_of
from webui_client.units.upscale import SdUpscale, UltimateSdUpscale
from webui_client.values import Animate, Animated, Extras, FaceSwap, Generation, Img2Img, Txt2Img

LARGEST_PADDING = 512

Planned_co = TypeVar("Planned_co", bound=AnyPlannedStage, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInput(Generic[Planned_co]):
    """What a stage works on; pictures are encoded, here and everywhere.

    picture: what the stage before made, or the photo or reference that the job brings; None for a first one without.
    files: by the paths that the request names. checkpoint: title of the one planned for. crops: of a stage that
    repairs frames, one a frame, None where there is no face.
    """

    request: Planned_co
    picture: bytes | None
    files: Mapping[str, bytes]
    checkpoint: str
    crops: tuple[Crop | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """What a stage made. infotext: A1111's generation parameters; seconds: at the server; version: of its software."""

    picture: bytes
    width: int
    height: int
    infotext: str
    seconds: float
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of several calls of a stage. number: from 0."""

    number: int
    of: int

    def whole(self, fraction: float) -> float:
        """How far the stage is when this call is at fraction."""
        return (self.number + fraction) / self.of


WHOLE = Part(number=0, of=1)


class Server(Protocol):
    """A server on which one request runs; every method raises webui_client.errors.WebuiError."""

    def generate(self, request: Txt2Img | Img2Img, part: Part = WHOLE) -> Generation:
        """Make the pictures, followed and cancellable from outside. part: of the stage that this call is."""

    def animate(self, request: Animate) -> Animated:
        """Make an animation, followed and cancellable from outside."""

    def edit(self, request: FaceSwap | Extras) -> Picture:
        """Change a finished picture without sampling."""


AnyInput = StageInput[AnyPlannedStage]
SampledInput = StageInput[PlannedStage]
Request = Txt2Img | Img2Img | Animate | FaceSwap | Extras
Stage = Callable[[Any, Server], StageOutput]


def txt2img(given: SampledInput, server: Server) -> StageOutput:
    """Make the composition from words."""
    return _last(server.generate(txt2img_request(given)))


def img2img(given: SampledInput, server: Server) -> StageOutput:
    """Work over the picture at the same size."""
    return _last(server.generate(img2img_request(given)))


def animate(given: SampledInput, server: Server) -> StageOutput:
    """Make an animation, from words or over the picture it begins with."""
    request = animate_request(given)
    made = server.animate(request)
    text = made.frames[0].infotext or (made.info.infotexts[0] if made.info.infotexts else "")
    clip = clip_of([frame.data for frame in made.frames], request.animatediff.fps, text)
    return _moving(clip, seconds=made.seconds, version=made.info.version)


def repair_frames(given: SampledInput, server: Server) -> StageOutput:
    """Paint the face anew in each frame that has one; crops that are equal are painted once."""
    clip, pieces = opened(_required(given)), _pieces(given)
    wanted = tuple(dict.fromkeys(piece for piece in pieces if piece is not None))
    painted = {
        piece: server.generate(repair_request(given, piece), Part(number=number, of=len(wanted)))
        for number, piece in enumerate(wanted)
    }
    frames = [
        frame if piece is None or crop is None else pasted(frame, painted[piece].pictures[-1].data, crop)
        for frame, piece, crop in zip(clip.frames, pieces, given.crops)
    ]
    return _moving(
        replace(clip, frames=stacked(frames)),
        seconds=sum(made.seconds for made in painted.values()),
        version=next((made.info.version for made in painted.values()), None),
    )


def upscale(given: SampledInput, server: Server) -> StageOutput:
    """Enlarge the picture tile by tile."""
    return _last(server.generate(upscale_request(given)))


def face_swap(given: StageInput[PlannedFaceSwap], server: Server) -> StageOutput:
    """Put the photo's face into the picture, and restore it where the plan says so."""
    started = time.monotonic()
    request, wanted = face_swap_request(given), given.request
    picture = server.edit(request)
    if wanted.face_restorer is not None:
        picture = server.edit(_restoring(picture.data, wanted.face_restorer))
    return _edited(picture, request.image, f"Face swap: {wanted.swapper}", started)


def extras(given: StageInput[PlannedExtras], server: Server) -> StageOutput:
    """Enlarge the picture by an upscaler alone."""
    started = time.monotonic()
    request = extras_request(given)
    done = f"Postprocess upscale by: {request.scale:g}, Postprocess upscaler: {request.upscaler}"
    return _edited(server.edit(request), request.image, done, started)


def _edited(picture: Picture, before: bytes, done: str, started: float) -> StageOutput:
    """What a stage that samples nothing made. done: what the infotext gains; started: monotonic seconds."""
    infotext = Picture.read(before).infotext
    return StageOutput(
        picture=picture.data,
        width=picture.width,
        height=picture.height,
        infotext=f"{infotext}, {done}" if infotext else "",
        seconds=time.monotonic() - started,
        version=None,
    )


STAGES: Mapping[str, Stage] = {
    "reference": txt2img,
    "txt2img": txt2img,
    "img2img": img2img,
    "upscale": upscale,
    "animate": animate,
    "repair_frames": repair_frames,
    "face_swap": face_swap,
    "extras": extras,
}


def request_of(given: AnyInput) -> Request:
    """What the stage will ask of a server, for finding one that can do it."""
    builders: Mapping[str, Callable[[Any], Request]] = {
        "reference": txt2img_request,
        "txt2img": txt2img_request,
        "img2img": img2img_request,
        "upscale": upscale_request,
        "animate": animate_request,
        "repair_frames": _some_repair,
        "face_swap": face_swap_request,
        "extras": extras_request,
    }
    return builders[given.request.use](given)


def face_swap_request(given: StageInput[PlannedFaceSwap]) -> FaceSwap:
    """The call of a stage that swaps faces. Raises ValueError without a picture or a photo."""
    request = given.request
    if given.picture is None or request.photo is None:
        raise ValueError(f"stage {request.name} needs the picture of a stage before it, and a photo")
    swapper = cast("Swapper", request.swapper)
    return FaceSwap(image=given.picture, source=given.files[request.photo], swapper=swapper)


def extras_request(given: StageInput[PlannedExtras]) -> Extras:
    """The call of a stage that enlarges without sampling. Raises ValueError without a picture."""
    request = given.request
    if given.picture is None:
        raise ValueError(f"stage {request.name} needs the picture of a stage before it")
    return Extras(image=given.picture, upscaler=request.upscaler, scale=request.scale)


def _restoring(picture: bytes, restorer: str) -> Extras:
    if restorer.casefold() == "gfpgan":
        return Extras(image=picture, gfpgan_visibility=1.0)
    return Extras(image=picture, codeformer_visibility=1.0)


def txt2img_request(given: SampledInput) -> Txt2Img:
    """The call of a txt2img stage: a unit without a picture of its own reads the reference."""
    request = given.request
    return Txt2Img(**_sampling(given, given.picture), width=request.width, height=request.height)


def img2img_request(given: SampledInput) -> Img2Img:
    """The call of an img2img stage."""
    request = given.request
    return Img2Img(
        **_sampling(given),
        **_picture(given),
        width=request.width,
        height=request.height,
        resize_mode="crop" if request.picture else "stretch",
    )


def upscale_request(given: SampledInput) -> Img2Img:
    """The call of an upscale stage: width and height are the tile's. Raises ValueError without an enlargement."""
    enlargement = given.request.enlargement
    if enlargement is None:
        raise ValueError(f"stage {given.request.name} has nothing to enlarge by")
    return Img2Img(
        **_sampling(given),
        **_picture(given),
        width=enlargement.tile_width,
        height=enlargement.tile_height,
        upscale=_script(enlargement),
    )


def animate_request(given: SampledInput) -> Animate:
    """The call of a stage that animates, over the picture it begins with where there is one.

    Raises ValueError without a motion.
    """
    request, motion = given.request, given.request.motion
    if motion is None:
        raise ValueError(f"stage {request.name} has no motion")
    unit = AnimateDiff(
        model=motion.module,
        video_length=motion.frames,
        batch_size=motion.context,
        fps=motion.fps,
        closed_loop=motion.closed_loop,
    )
    sampling = img2img_request(given) if request.picture else txt2img_request(given)
    return Animate(sampling=sampling, animatediff=unit)


def repair_request(given: SampledInput, piece: bytes) -> Img2Img:
    """The call that paints one crop of a frame anew; every frame's has the same seed."""
    side = _side(given)
    return Img2Img(
        **_sampling(given),
        init_images=(piece,),
        denoising_strength=given.request.denoising_strength,
        width=side,
        height=side,
    )


def _some_repair(given: SampledInput) -> Img2Img:
    """The call for one frame's face, or where no frame has one for the whole picture, which will not be made."""
    return repair_request(given, next(filter(None, _pieces(given)), _required(given)))


def _pieces(given: SampledInput) -> list[bytes | None]:
    """The crop of each frame that has a face, as it will be painted over."""
    frames = opened(_required(given)).frames
    return [
        None if crop is None else cut(frame, crop, _side(given)) for frame, crop in zip(frames, given.crops)
    ]


def _side(given: SampledInput) -> int:
    if given.request.crop is None:
        raise ValueError(f"stage {given.request.name} has no size for its crops")
    return given.request.crop


def _script(enlargement: Enlargement) -> SdUpscale | UltimateSdUpscale:
    if enlargement.script.casefold() == "sd upscale":
        return SdUpscale(upscaler=enlargement.upscaler, scale=enlargement.scale, overlap=enlargement.overlap)
    return UltimateSdUpscale(
        upscaler=enlargement.upscaler,
        scale=enlargement.scale,
        padding=min(enlargement.overlap // 2, LARGEST_PADDING),
        mask_blur=min(max(enlargement.overlap // 8, 1), 64),
    )


def _sampling(given: SampledInput, reference: bytes | None = None) -> dict[str, Any]:
    request = given.request
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "sampler_name": request.sampler,
        "scheduler": request.scheduler,
        "steps": request.steps,
        "cfg_scale": request.cfg_scale,
        "clip_skip": request.clip_skip,
        "checkpoint": given.checkpoint,
        "adetailer": ADetailer(tabs=tuple(map(_tab, request.adetailer))) if request.adetailer else None,
        "controlnet": tuple(
            _control(unit, _read_by(unit, given.files), reference) for unit in request.controlnet
        ),
    }


def _read_by(unit: PlannedControl, files: Mapping[str, bytes]) -> bytes | None:
    """The picture that a unit reads, or the part of it; None for the stage's input."""
    if unit.picture is None or unit.part is None:
        return files[unit.picture] if unit.picture else None
    out = io.BytesIO()
    with Image.open(io.BytesIO(files[unit.picture])) as image:
        image.crop(unit.part).convert("RGB").save(out, "PNG")
    return out.getvalue()


def _control(unit: PlannedControl, picture: bytes | None, reference: bytes | None) -> Control:
    share: dict[str, Any] = {"guidance_start": unit.guidance_start, "guidance_end": unit.guidance_end}
    if unit.unit == "instant_id" and picture is not None:
        return InstantId(image=picture, points=reference, weight=unit.weight, **share)
    adapter = recipe_of(unit.model)
    if unit.unit == "ip_adapter_face" and picture is not None and adapter is not None:
        return IpAdapter(images=(picture,), variants=(adapter.variant,), weight=unit.weight, **share)
    return ControlNetUnit(
        module=unit.module,
        model=unit.model,
        weight=unit.weight,
        image=picture or reference,
        control_mode=unit.control_mode,
        processor_res=unit.resolution,
        threshold_a=unit.threshold_a,
        threshold_b=unit.threshold_b,
        **share,
    )


def _picture(given: SampledInput) -> dict[str, Any]:
    return {"init_images": (_required(given),), "denoising_strength": given.request.denoising_strength}


def _required(given: SampledInput) -> bytes:
    if given.picture is None:
        raise ValueError(f"stage {given.request.name} needs the picture of a stage before it")
    return given.picture


def _tab(tab: PlannedDetailer) -> ADetailerTab:
    return ADetailerTab(
        model=tab.model,
        prompt=tab.prompt,
        negative_prompt=tab.negative_prompt,
        confidence=tab.confidence,
        denoising_strength=tab.denoising_strength,
        mask_blur=tab.mask_blur,
        dilate_erode=tab.dilate_erode,
        inpaint_only_masked_padding=tab.padding,
    )


def _moving(clip: Clip, *, seconds: float, version: str | None) -> StageOutput:
    width, height = clip.size
    return StageOutput(
        picture=kept(clip),
        width=width,
        height=height,
        infotext=clip.infotext,
        seconds=seconds,
        version=version,
    )


def _last(made: Generation) -> StageOutput:
    picture: Picture = made.pictures[-1]
    return StageOutput(
        picture=picture.data,
        width=picture.width,
        height=picture.height,
        infotext=picture.infotext or (made.info.infotexts[0] if made.info.infotexts else ""),
        seconds=made.seconds,
        version=made.info.version,
    )

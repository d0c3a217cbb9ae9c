"""The stages. Each has the same shape, is pure but for its one call of a server, and is registered by its ``use``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from studio.planning.plan import (
    AnyPlannedStage,
    Enlargement,
    PlannedDetailer,
    PlannedExtras,
    PlannedFaceSwap,
    PlannedStage,
)
from webui_client.pictures import Picture
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.controlnet import ControlNetUnit
from webui_client.units.faceswap import Swapper
from webui_client.units.upscale import SdUpscale, UltimateSdUpscale
from webui_client.values import Extras, FaceSwap, Generation, Img2Img, Txt2Img

LARGEST_PADDING = 512

Planned_co = TypeVar("Planned_co", bound=AnyPlannedStage, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInput(Generic[Planned_co]):
    """What a stage works on; pictures are encoded, here and everywhere.

    picture: what the stage before made, or the photo that the first one works over; None for a first one without.
    files: by the paths that the request names. checkpoint: title of the one planned for.
    """

    request: Planned_co
    picture: bytes | None
    files: Mapping[str, bytes]
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """What a stage made. infotext: A1111's generation parameters; seconds: at the server; version: of its software."""

    picture: bytes
    width: int
    height: int
    infotext: str
    seconds: float
    version: str | None


class Server(Protocol):
    """A server on which one request runs; every method raises webui_client.errors.WebuiError."""

    def generate(self, request: Txt2Img | Img2Img) -> Generation:
        """Make the pictures, followed and cancellable from outside."""

    def edit(self, request: FaceSwap | Extras) -> Picture:
        """Change a finished picture without sampling."""


AnyInput = StageInput[AnyPlannedStage]
SampledInput = StageInput[PlannedStage]
Request = Txt2Img | Img2Img | FaceSwap | Extras
Stage = Callable[[Any, Server], StageOutput]


def txt2img(given: SampledInput, server: Server) -> StageOutput:
    """Make the composition from words."""
    return _last(server.generate(txt2img_request(given)))


def img2img(given: SampledInput, server: Server) -> StageOutput:
    """Work over the picture at the same size."""
    return _last(server.generate(img2img_request(given)))


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
    "txt2img": txt2img,
    "img2img": img2img,
    "upscale": upscale,
    "face_swap": face_swap,
    "extras": extras,
}


def request_of(given: AnyInput) -> Request:
    """What the stage will ask of a server, for finding one that can do it."""
    builders: Mapping[str, Callable[[Any], Request]] = {
        "txt2img": txt2img_request,
        "img2img": img2img_request,
        "upscale": upscale_request,
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
    """The call of a txt2img stage."""
    request = given.request
    return Txt2Img(**_sampling(given), width=request.width, height=request.height)


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


def _script(enlargement: Enlargement) -> SdUpscale | UltimateSdUpscale:
    if enlargement.script.casefold() == "sd upscale":
        return SdUpscale(upscaler=enlargement.upscaler, scale=enlargement.scale, overlap=enlargement.overlap)
    return UltimateSdUpscale(
        upscaler=enlargement.upscaler,
        scale=enlargement.scale,
        padding=min(enlargement.overlap // 2, LARGEST_PADDING),
        mask_blur=min(max(enlargement.overlap // 8, 1), 64),
    )


def _sampling(given: SampledInput) -> dict[str, Any]:
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
            ControlNetUnit(
                module=unit.module,
                model=unit.model,
                weight=unit.weight,
                image=given.files[unit.picture] if unit.picture else None,
                guidance_start=unit.guidance_start,
                guidance_end=unit.guidance_end,
                control_mode=unit.control_mode,
                processor_res=unit.resolution,
                threshold_a=unit.threshold_a,
                threshold_b=unit.threshold_b,
            )
            for unit in request.controlnet
        ),
    }


def _picture(given: SampledInput) -> dict[str, Any]:
    if given.picture is None:
        raise ValueError(f"stage {given.request.name} needs the picture of a stage before it")
    return {"init_images": (given.picture,), "denoising_strength": given.request.denoising_strength}


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

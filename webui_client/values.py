"""The frozen values that go into a WebUI server and come out of it.

Requests are checked when they are made (a bad range raises pydantic's ValidationError). Field names are
A1111's own where it has one; see the A1111 contract notes, core, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui_client.pictures import Picture
from webui_client.units.adetailer import ADetailer
from webui_client.units.animatediff import AnimateDiff, Animation
from webui_client.units.controlnet import ControlNetUnit
from webui_client.units.faceswap import Swapper
from webui_client.units.identity import Control
from webui_client.units.preprocessors import INSTANT_ID_FACE, INSTANT_ID_POINTS, control_type
from webui_client.units.upscale import SdUpscale, Upscale

LARGEST_SEED = 2**32 - 1

Seed = Annotated[int, Field(ge=-1, le=LARGEST_SEED)]
Side = Annotated[int, Field(ge=8, le=8192)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hires(_Request):
    """Hires fix: enlarge the first result by upscaler and denoise again.

    scale: 1 to 4, unless width and height (final pixels; 0 keeps the ratio) are given. steps: 0 means those
    of the first pass. sampler_name, scheduler, checkpoint: None means those of the first pass.
    """

    upscaler: str = "Latent"
    denoising_strength: Share = 0.5
    scale: Annotated[float, Field(ge=1, le=4)] = 2.0
    width: Annotated[int, Field(ge=0, le=8192)] = 0
    height: Annotated[int, Field(ge=0, le=8192)] = 0
    steps: Annotated[int, Field(ge=0, le=150)] = 0
    sampler_name: str | None = None
    scheduler: str | None = None
    checkpoint: str | None = None
    prompt: str = ""
    negative_prompt: str = ""


class Inpaint(_Request):
    """Where an initial picture is repainted, and how.

    mask: an encoded picture, white is repainted. blur: pixels. fill: what stands under the mask at first.
    only_masked: crop to the mask with padding (pixels) around it, paint at the request's size, paste back.
    """

    mask: bytes = Field(repr=False)
    blur: Annotated[int, Field(ge=0, le=64)] = 4
    fill: Literal["fill", "original", "latent noise", "latent nothing"] = "original"
    only_masked: bool = False
    padding: Annotated[int, Field(ge=0, le=256)] = 32
    invert: bool = False


class Sampling(_Request):
    """What txt2img and img2img have in common.

    seed, subseed: -1 draws one. sampler_name: a listed name, or an old joined one ("DPM++ 2M Karras"); None
    leaves it to the server. scheduler: a listed name or label; None is the sampler's own. width, height:
    pixels; the server rounds them down to multiples of 8. batch_size x n_iter pictures are made. checkpoint,
    vae, clip_skip: for this request only; None leaves the server's. override_settings: other options for
    this request. alwayson_scripts: arguments of other extensions by title.
    """

    prompt: str = ""
    negative_prompt: str = ""
    styles: tuple[str, ...] = ()
    seed: Seed = -1
    subseed: Seed = -1
    subseed_strength: Share = 0.0
    sampler_name: str | None = "Euler a"
    scheduler: str | None = None
    steps: Annotated[int, Field(ge=1, le=150)] = 20
    cfg_scale: Annotated[float, Field(ge=0, le=30)] = 7.0
    width: Side = 512
    height: Side = 512
    batch_size: Annotated[int, Field(ge=1, le=16)] = 1
    n_iter: Annotated[int, Field(ge=1, le=100)] = 1
    checkpoint: str | None = None
    vae: str | None = None
    clip_skip: Annotated[int, Field(ge=1, le=12)] | None = None
    restore_faces: bool | None = None
    tiling: bool | None = None
    eta: float | None = None
    s_churn: float | None = None
    s_tmin: float | None = None
    s_tmax: float | None = None
    s_noise: float | None = None
    refiner_checkpoint: str | None = None
    refiner_switch_at: Share | None = None
    disable_extra_networks: bool = False
    override_settings: Mapping[str, Any] = Field(default_factory=dict)
    adetailer: ADetailer | None = None
    controlnet: tuple[Control, ...] = ()
    alwayson_scripts: Mapping[str, tuple[Any, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _instant_ids_points_follow_its_face(self) -> Self:
        modules = [unit.module if isinstance(unit, ControlNetUnit) else "" for unit in self.controlnet]
        for before, module in pairwise(["", *modules]):
            if module == INSTANT_ID_POINTS and before != INSTANT_ID_FACE:
                raise ValueError(f"{INSTANT_ID_POINTS} must come directly after {INSTANT_ID_FACE}")
        return self

    @property
    def plain_units(self) -> tuple[ControlNetUnit, ...]:
        """The ControlNet units that say themselves how they work."""
        return tuple(unit for unit in self.controlnet if isinstance(unit, ControlNetUnit))

    @property
    def pictures(self) -> int:
        """How many pictures are asked for."""
        return self.batch_size * self.n_iter


class Txt2Img(Sampling):
    """A picture from text alone."""

    hires: Hires | None = None

    @model_validator(mode="after")
    def _control_pictures_are_given(self) -> Self:
        if any(unit.image is None for unit in self.plain_units):
            raise ValueError(
                "a ControlNet unit of txt2img needs a picture: there is no initial one to fall back to"
            )
        return self


class Img2Img(Sampling):
    """A picture from pictures. width and height are not taken from the picture: always give them.

    init_images: encoded pictures, at most batch_size. denoising_strength: 0 to 1. resize_mode: how an
    initial picture of another size is fitted. upscale: one of the tiled scripts; width and height are then
    the tile's.
    """

    init_images: Annotated[tuple[bytes, ...], Field(min_length=1, repr=False)]
    denoising_strength: Share = 0.75
    resize_mode: Literal["stretch", "crop", "fill", "latent"] = "stretch"
    initial_noise_multiplier: float | None = None
    image_cfg_scale: float | None = None
    inpaint: Inpaint | None = None
    upscale: Upscale | None = Field(default=None, discriminator="script")

    @model_validator(mode="after")
    def _what_repaints_a_mask_has_one(self) -> Self:
        for unit in self.plain_units:
            if control_type(unit.module).mask == "needed" and unit.image is None and self.inpaint is None:
                raise ValueError(f"{unit.module} needs a mask, its own or that of the request")
        return self

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if len(self.init_images) > self.batch_size:
            raise ValueError(
                f"{len(self.init_images)} initial pictures are more than batch_size {self.batch_size}"
            )
        if self.skips_img2img and self.inpaint:
            raise ValueError("ADetailer cannot skip img2img when there is a mask")
        if self.upscale:
            self._upscale_stands_alone()
        return self

    @property
    def skips_img2img(self) -> bool:
        """Whether the main pass is a dummy, and ADetailer alone works on the initial picture."""
        return self.adetailer is not None and self.adetailer.skip_img2img

    def _upscale_stands_alone(self) -> None:
        if self.inpaint:
            raise ValueError(
                f"{self.upscale.script if self.upscale else ''} overwrites a mask with its tiles"
            )
        if self.adetailer:
            raise ValueError(
                "ADetailer would run on every tile of an upscale; run it in a request of its own"
            )
        if self.pictures != 1 or len(self.init_images) != 1:
            raise ValueError("an upscale takes one picture and returns one")
        if isinstance(self.upscale, SdUpscale) and self.upscale.overlap >= min(self.width, self.height):
            raise ValueError("the overlap must be less than the tile")


class Animate(_Request):
    """Make an animation; sampling says of what.

    ADetailer, hires fix and an upscale script would run on every frame by itself and make it flicker, and more than one
    animation a request returns the frames of the last only; so these are refused.
    """

    sampling: Txt2Img | Img2Img
    animatediff: AnimateDiff

    @model_validator(mode="after")
    def _nothing_else_works_on_frames(self) -> Self:
        sampling = self.sampling
        repainted = sampling.inpaint or sampling.upscale if isinstance(sampling, Img2Img) else sampling.hires
        if sampling.adetailer or sampling.controlnet or repainted:
            raise ValueError(
                "nothing but sampling works on the frames of an animation; do the rest afterwards"
            )
        if sampling.pictures != 1:
            raise ValueError("one animation a request; its frames are counted by video_length")
        return self


class _Enlarging(_Request):
    upscaler: str = "None"
    scale: Annotated[float, Field(gt=0, le=8)] = 1.0
    size: tuple[Side, Side] | None = None
    crop: bool = True
    second_upscaler: str = "None"
    second_visibility: Share = 0.0
    gfpgan_visibility: Share = 0.0
    codeformer_visibility: Share = 0.0
    codeformer_weight: Share = 0.5

    @model_validator(mode="after")
    def _none_does_not_scale(self) -> Self:
        if self.upscaler == "None" and (self.scale != 1 or self.size is not None):
            raise ValueError('the upscaler "None" never changes the size; use "Lanczos" for a plain resize')
        return self


class Extras(_Enlarging):
    """Enlarge a picture or restore its faces, without diffusion.

    image: an encoded picture. upscaler: a listed name; "None" leaves the size alone whatever scale says, so
    scale must then be 1 ("Lanczos" is the plain resize). size: final (width, height) instead of scale,
    filled by cropping if crop. second_upscaler is blended over the first with second_visibility.
    codeformer_weight: 0 is strongest.
    """

    image: bytes = Field(repr=False)


class ExtrasBatch(_Enlarging):
    """The same for several encoded pictures in one call; what cannot be done to one is done to none."""

    images: Annotated[tuple[bytes, ...], Field(min_length=1, repr=False)]

    @property
    def singles(self) -> tuple[Extras, ...]:
        """One request for each picture."""
        fields = self.model_dump(exclude={"images"})
        return tuple(Extras(image=image, **fields) for image in self.images)


class FaceSwap(_Request):
    """Put the largest face of one picture in place of the first of another, without diffusion.

    image: the encoded picture that is changed. source: the encoded photo of the person. Nothing restores the face: a
    swapped one is about 128 pixels fine, so follow with :class:`Extras` where the server has a restorer.
    """

    image: bytes = Field(repr=False)
    source: bytes = Field(repr=False)
    swapper: Swapper


class GenerationInfo(BaseModel):
    """The ``info`` of a generation's answer; what a server leaves out stands at its neutral value.

    infotexts: one per picture. extra_generation_params: what extensions say they did. version: the WebUI's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: int
    all_seeds: tuple[int, ...] = ()
    all_subseeds: tuple[int, ...] = ()
    all_prompts: tuple[str, ...] = ()
    infotexts: tuple[str, ...] = ()
    sampler_name: str | None = None
    width: int = 0
    height: int = 0
    steps: int = 0
    cfg_scale: float = 0
    clip_skip: int | None = None
    sd_model_name: str | None = None
    sd_model_hash: str | None = None
    sd_vae_name: str | None = None
    sd_vae_hash: str | None = None
    denoising_strength: float | None = None
    extra_generation_params: Mapping[str, Any] = Field(default_factory=dict)
    index_of_first_image: int = 0
    job_timestamp: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a generation gave, once it is proven that everything asked for ran.

    pictures: in the order of info.all_seeds. maps: what extensions appended (ControlNet's detected maps),
    and masks. seconds: wall time of the call.
    """

    pictures: tuple[Picture, ...]
    maps: tuple[Picture, ...]
    info: GenerationInfo
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Animated:
    """What an animation gave, once it is proven that it was made as asked.

    files: in the order of the unit's ``files``. frames: whole and lossless, in the order they are played. seconds: wall
    time of the call.
    """

    files: tuple[Animation, ...]
    frames: tuple[Picture, ...]
    info: GenerationInfo
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running request is.

    fraction: 0 to 1, never less than told before. eta_seconds: the server's own estimate, None while unknown.
    preview: an encoded picture of what is being made, or None. step, steps: of the sampling pass that runs
    now. queued: the server has the request, but runs another first.
    """

    fraction: float
    eta_seconds: float | None = None
    preview: bytes | None = None
    step: int = 0
    steps: int = 0
    queued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PngInfo:
    """What is written in a picture. infotext: "" if nothing. items: other text entries. parameters: as the
    server parsed them.
    """

    infotext: str
    items: Mapping[str, str]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. connect: until a connection stands. read: for listings and small calls. generation: for a
    whole picture-making call, all of it. poll: between two looks at the progress.
    """

    connect: float = 5.0
    read: float = 30.0
    generation: float = 1800.0
    poll: float = 0.5

"""The frozen values between the engine's HTTP border and its picture-making core.

The HTTP side turns an A1111 request into a :class:`GenerationTask`; the diffusion side turns a task into a
:class:`GenerationResult` and reports through a :class:`Monitor`. Neither knows anything else of the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol

from PIL import Image

Pairs = tuple[tuple[str, str | int | float], ...]


class MaskedContent(IntEnum):
    """What stands under the mask before denoising; A1111's ``inpainting_fill``."""

    FILL = 0
    ORIGINAL = 1
    LATENT_NOISE = 2
    LATENT_NOTHING = 3


class ResizeMode(IntEnum):
    """How an initial picture of another size is fitted; A1111's ``resize_mode``."""

    STRETCH = 0
    CROP = 1
    FILL = 2
    LATENT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Inpainting:
    """A mask and how to paint under it.

    mask: mode "L", the size of the first initial picture or any other (it is resized); white is repainted.
    blur_x, blur_y: Gaussian blur of the mask in pixels. only_masked: crop to the mask, paint at full size, paste back.
    padding: pixels kept around the mask when only_masked.
    """

    mask: Image.Image
    blur_x: int = 4
    blur_y: int = 4
    content: MaskedContent = MaskedContent.ORIGINAL
    only_masked: bool = False
    padding: int = 32
    invert: bool = False
    round_mask: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hires:
    """The second pass of hires fix. Sizes in pixels; resize_x and resize_y of 0 mean "by scale"."""

    scale: float = 2.0
    upscaler: str = "Latent"
    steps: int = 0
    resize_x: int = 0
    resize_y: int = 0
    denoising_strength: float = 0.7
    sampler: str | None = None
    scheduler: str | None = None
    prompt: str = ""
    negative_prompt: str = ""
    checkpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refiner:
    """A second checkpoint that finishes the picture, in hires fix the second pass alone.

    checkpoint: a title or name of the model listing. switch_at: the share of the steps, 0 to 1, after which it takes
    over.
    """

    checkpoint: str
    switch_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlUnit:
    """One ControlNet unit whose map is already drawn.

    model: a name of the ControlNet listing. hint: RGB picture of any size, fitted by resize_mode, or one for each
    picture of the batch. weight: 0 to 2.
    guidance_start, guidance_end: share of the steps, 0 to 1. control_mode: A1111's three words for who wins.
    """

    model: str
    hint: Image.Image | tuple[Image.Image, ...]
    weight: float = 1.0
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    resize_mode: str = "Crop and Resize"
    control_mode: str = "Balanced"
    low_res: bool = True
    high_res: bool = True


class Loop(Enum):
    """How far a clip's end leads back to its beginning; AnimateDiff's ``closed_loop``.

    NONE: the windows of a long clip never join them. LESS, MORE: they do; with MORE the prompts lead back as well. ALL:
    no frame is left out of that, and a clip of one window is played back to its beginning.
    """

    NONE = "N"
    LESS = "R-P"
    MORE = "R+P"
    ALL = "A"


@dataclass(frozen=True, slots=True)
class Fading:
    """How a given picture loses its hold on a clip: at distance i it keeps 1 - i ** power / scale, never below 0."""

    power: float = 1.0
    scale: float = 32.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """That the pictures of a batch are the frames of one moving picture.

    module: a name of the motion module listing. context: how many frames it sees at once, at most. stride: up to how
    many times frames are seen in wider spacings. overlap: frames that neighbouring windows share. travel: prompts, each
    with the frame from which it holds; empty when the task's holds for all. fading: of the initial picture, which the
    first frame shows. last: RGB, what the last frame shows, with last_fading.
    """

    module: str
    context: int = 16
    stride: int = 1
    overlap: int = 4
    loop: Loop = Loop.LESS
    travel: tuple[tuple[int, str], ...] = ()
    fading: Fading = Fading()
    last: Image.Image | None = None
    last_fading: Fading = Fading()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterUnit:
    """One IP-Adapter unit.

    model: a name of the ControlNet listing. module: the preprocessor that reads the pictures. images: RGB, any size,
    all of one thing. weight: 0 to 2. guidance_start, guidance_end: share of the steps, 0 to 1.
    """

    model: str
    module: str
    images: tuple[Image.Image, ...]
    weight: float = 1.0
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    low_res: bool = True
    high_res: bool = True

    def weight_at(self, share: float, *, second_pass: bool) -> float:
        """Its weight at this share of the steps of the first or second pass; 0 where it takes no part."""
        takes_part = self.high_res if second_pass else self.low_res
        return self.weight if takes_part and self.guidance_start <= share <= self.guidance_end else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceUnit:
    """One unit that has the picture look at another one, without a model.

    image: RGB, any size, cropped to the picture's. weight: 0 to 2; below 1 only some layers look. style_fidelity: 0 to
    1. guidance_start, guidance_end: share of the steps, 0 to 1. control_mode: A1111's three words for who wins.
    """

    image: Image.Image
    weight: float = 1.0
    style_fidelity: float = 0.5
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    control_mode: str = "Balanced"
    low_res: bool = True
    high_res: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationTask:
    """One txt2img or img2img call, resolved: every name is exact, every number in range, the seed drawn.

    prompt, negative_prompt: A1111 syntax, ``<lora:…>`` tags included. sampler, scheduler: A1111's names as listed.
    width, height: pixels, multiples of 8. init_images: RGB, empty for txt2img; denoising_strength counts with them.
    checkpoint: a title or name of the model listing, or None for the one loaded. clip_skip: 1 uses the last layer.
    crop: (top, left) in pixels that SDXL is told its picture was cut at.
    clip: makes each batch one moving picture.
    """

    prompt: str = ""
    negative_prompt: str = ""
    seed: int
    subseed: int = 0
    subseed_strength: float = 0.0
    seed_resize_from: tuple[int, int] | None = None
    sampler: str = "Euler"
    scheduler: str = "Automatic"
    steps: int = 20
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    batch_size: int = 1
    n_iter: int = 1
    init_images: tuple[Image.Image, ...] = ()
    denoising_strength: float = 0.75
    resize_mode: ResizeMode = ResizeMode.STRETCH
    initial_noise_multiplier: float | None = None
    inpainting: Inpainting | None = None
    hires: Hires | None = None
    control: tuple[ControlUnit, ...] = ()
    adapters: tuple[AdapterUnit, ...] = ()
    references: tuple[ReferenceUnit, ...] = ()
    clip: Clip | None = None
    checkpoint: str | None = None
    refiner: Refiner | None = None
    vae: str | None = None
    clip_skip: int = 1
    crop: tuple[int, int] = (0, 0)
    eta: float | None = None
    s_churn: float | None = None
    s_tmin: float | None = None
    s_tmax: float | None = None
    s_noise: float | None = None
    eta_noise_seed_delta: int = 0
    tiling: bool = False
    disable_extra_networks: bool = False
    img2img_fix_steps: bool = False
    emphasis: str = "Original"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One picture that was made, with the numbers it was made from."""

    image: Image.Image
    prompt: str
    negative_prompt: str
    seed: int
    subseed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationResult:
    """What a task gave.

    pictures: in order, fewer than asked when interrupted or skipped. extra: infotext pairs the core adds
    (``Lora hashes``, ``TI hashes``, ``Hires …``, ``Mask blur`` …) in A1111's order. model_*: the checkpoint used.
    """

    pictures: tuple[Sampled, ...]
    extra: Pairs = ()
    model_name: str
    model_hash: str
    vae_name: str | None = None
    vae_hash: str | None = None
    warnings: tuple[str, ...] = field(default=())


class Monitor(Protocol):
    """What the core tells while it works, and asks at each step. Called from the generating thread."""

    def begin(self, *, jobs: int, steps: int) -> None:
        """Say how many sampling passes will run and how many steps the first has."""

    def job(self, number: int, *, steps: int) -> None:
        """Say that sampling pass number (from 0) begins, and how many steps it has."""

    def step(self, number: int, preview: Image.Image | None) -> None:
        """Say that a step (from 1) of the current pass is done; preview: what it will be, small, if wanted."""

    @property
    def wants_preview(self) -> bool:
        """Whether the next step should show its picture; asked just before that is decoded."""

    @property
    def interrupted(self) -> bool:
        """Whether the whole task shall stop; the core then decodes what it has."""

    @property
    def skipped(self) -> bool:
        """Whether the current batch shall be abandoned; reading it does not clear it."""

"""ControlNet's preprocessors: from a picture to the drawing that a ControlNet reads.

The names, sliders and default values are those of the A1111 extension (the A1111 contract notes on ControlNet, section
3). Poses and faces come from mediapipe, whose weights lie in its package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webui_engine.controlnet import face_mesh, poses
from webui_engine.errors import UnknownName

Pixels = NDArray[np.uint8]
UNSET = -1
REFERENCE = "reference_only"
_DEFAULT_RESOLUTION = 512


@dataclass(frozen=True, slots=True)
class Slider:
    """A number that a preprocessor takes, as ``GET /controlnet/module_list`` describes it."""

    name: str
    value: float
    min: float
    max: float
    step: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A preprocessor. sliders: its resolution (if it has one) and at most two thresholds, in this order.

    draw: RGB pixels and the two thresholds to RGB pixels of the same size; those that read pictures for an IP-Adapter
    have none. look: finds the person that draw draws, in RGB pixels; only those that draw poses have one. keeps_size:
    it works at the picture's own size. model_free: it needs no ControlNet behind it.
    """

    name: str
    draw: Callable[[Pixels, float, float], Pixels] | None = None
    alias: str
    look: Callable[[Pixels], poses.Seen] | None = None
    sliders: tuple[Slider, ...] = ()
    tags: tuple[str, ...] = ()
    keeps_size: bool = False
    model_free: bool = False

    @property
    def thresholds(self) -> tuple[Slider, ...]:
        """The sliders after the resolution."""
        return self.sliders[1:]


_RESOLUTION = Slider("Preprocessor Resolution", _DEFAULT_RESOLUTION, 64, 2048)


def _unchanged(pixels: Pixels, _a: float, _b: float) -> Pixels:
    return pixels


def _canny(pixels: Pixels, low: float, high: float) -> Pixels:
    edges = cv2.Canny(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), round(low), round(high))
    return np.repeat(edges[..., None], 3, axis=2).astype(np.uint8)


def _tile(pixels: Pixels, rate: float, _b: float) -> Pixels:
    if rate <= 1:
        return pixels
    height, width = pixels.shape[:2]
    smaller = max(1, round(width / rate)), max(1, round(height / rate))
    return np.array(Image.fromarray(pixels).resize(smaller, Image.Resampling.BOX))


def _faces(pixels: Pixels, most: float, confidence: float) -> Pixels:
    return face_mesh.draw_faces(pixels, most=max(1, round(most)), confidence=confidence)


def _pose_module(name: str, *, body: bool = True, face: bool = False, hands: bool = False) -> Module:
    look = partial(poses.look, body=body, face=face, hands=hands)

    def draw(pixels: Pixels, _a: float, _b: float) -> Pixels:
        height, width = pixels.shape[:2]
        return poses.draw(look(pixels), width, height)

    return Module(name=name, alias=name, draw=draw, look=look, sliders=(_RESOLUTION,), tags=("OpenPose",))


MODULES = (
    Module(name="none", alias="none", draw=_unchanged),
    Module(
        name="canny",
        alias="canny",
        draw=_canny,
        sliders=(_RESOLUTION, Slider("Low Threshold", 100, 1, 255), Slider("High Threshold", 200, 1, 255)),
        tags=("Canny",),
    ),
    Module(
        name="mediapipe_face",
        alias="mediapipe_face",
        draw=_faces,
        sliders=(
            _RESOLUTION,
            Slider("Max Faces", 1, 1, 10),
            Slider("Min Face Confidence", 0.5, 0.01, 1.0, 0.01),
        ),
    ),
    _pose_module("openpose"),
    _pose_module("openpose_face", face=True),
    _pose_module("openpose_faceonly", body=False, face=True),
    _pose_module("openpose_full", face=True, hands=True),
    _pose_module("openpose_hand", hands=True),
    Module(
        name="tile_resample",
        alias="tile_resample",
        draw=_tile,
        sliders=(_RESOLUTION, Slider("Down Sampling Rate", 1.0, 1.0, 8.0, 0.01)),
        tags=("Tile",),
        keeps_size=True,
    ),
    Module(
        name=REFERENCE,
        alias=REFERENCE,
        draw=_unchanged,
        sliders=(
            _RESOLUTION,
            Slider("Style Fidelity (only for Balanced mode)", 0.5, 0.0, 1.0, 0.01),
        ),
        tags=("Reference",),
        keeps_size=True,
        model_free=True,
    ),
)
"""Every preprocessor, in the order of the listing."""


def find_module(name: str, modules: Sequence[Module] = MODULES) -> Module:
    """The preprocessor of this name or alias, or UnknownName."""
    for module in modules:
        if name.lower() in (module.name, module.alias):
            return module
    raise UnknownName("preprocessor", name, [module.name for module in modules])


def preprocess(
    picture: Image.Image,
    name: str,
    resolution: int = UNSET,
    threshold_a: float = UNSET,
    threshold_b: float = UNSET,
    *,
    modules: Sequence[Module] = MODULES,
) -> Image.Image:
    """The drawing of preprocessor name, one of modules, for the picture, RGB.

    resolution: the short side it works at, in pixels; out of the slider's range means its default, as for thresholds.
    "none" and those that say so keep the picture's own size.
    """
    module = find_module(name, modules)
    if module.draw is None:
        raise UnknownName("drawing preprocessor", name, [module.name for module in modules if module.draw])
    pixels = _prepared(picture, module, resolution)
    given = [
        _in_range(value, slider)
        for value, slider in zip((threshold_a, threshold_b), module.thresholds, strict=False)
    ]
    first, second = (*given, 0.0, 0.0)[:2]
    return Image.fromarray(module.draw(pixels, first, second))


def read_pose(
    picture: Image.Image, name: str, resolution: int = UNSET, *, modules: Sequence[Module] = MODULES
) -> tuple[Image.Image, dict[str, Any]] | None:
    """The drawing that preprocess makes and the pose in OpenPose's JSON; None for what draws no poses."""
    module = find_module(name, modules)
    if module.look is None:
        return None
    pixels = _prepared(picture, module, resolution)
    height, width = pixels.shape[:2]
    seen = module.look(pixels)
    return Image.fromarray(poses.draw(seen, width, height)), poses.told(seen, width, height)


def _prepared(picture: Image.Image, module: Module, resolution: int) -> Pixels:
    pixels = np.array(picture.convert("RGB"))
    if not module.sliders or module.keeps_size:
        return pixels
    return _at_resolution(pixels, round(_in_range(resolution, module.sliders[0])))


def _in_range(value: float, slider: Slider) -> float:
    return value if slider.min <= value <= slider.max else slider.value


def _at_resolution(pixels: Pixels, resolution: int) -> Pixels:
    """The picture with its short side at resolution and its proportions kept."""
    height, width = pixels.shape[:2]
    factor = resolution / min(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resample = cv2.INTER_LANCZOS4 if factor > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, size, interpolation=resample), dtype=np.uint8)

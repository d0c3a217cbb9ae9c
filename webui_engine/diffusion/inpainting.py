"""Masks: how they are prepared, what stands under them, and how the result goes back into the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from webui_engine.diffusion.pictures import fit
from webui_engine.tasks import Inpainting, MaskedContent, ResizeMode

Box = tuple[int, int, int, int]
_FILL_BLURS = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))


@dataclass(frozen=True, slots=True)
class Overlay:
    """The untouched part of a picture, and the box the painted part goes into (None: the whole picture)."""

    untouched: Image.Image
    box: Box | None

    def finish(self, painted: Image.Image) -> Image.Image:
        """painted with everything outside the mask as it was; RGB, of the untouched picture's size."""
        if self.box is not None:
            left, top, right, bottom = self.box
            base = Image.new("RGB", self.untouched.size)
            base.paste(fit(painted, ResizeMode.CROP, right - left, bottom - top), (left, top))
            painted = base
        return Image.alpha_composite(painted.convert("RGBA"), self.untouched).convert("RGB")


@dataclass(frozen=True, slots=True)
class Canvas:
    """What img2img works on: RGB pictures of the asked size, a mask of that size if any, and how to finish each."""

    pictures: tuple[Image.Image, ...]
    mask: Image.Image | None = None
    overlays: tuple[Overlay, ...] = ()
    box: Box | None = None

    def finish(self, index: int, painted: Image.Image) -> Image.Image:
        """The final picture number index."""
        return self.overlays[index % len(self.overlays)].finish(painted) if self.overlays else painted


def prepare(
    pictures: Sequence[Image.Image], inpainting: Inpainting | None, mode: ResizeMode, width: int, height: int
) -> Canvas:
    """The canvas for these pictures; a mask without any white is no mask."""
    if inpainting is None:
        return Canvas(tuple(fit(picture, mode, width, height) for picture in pictures))
    mask = _prepared_mask(inpainting, pictures[0].size)
    if not inpainting.only_masked:
        return _whole(pictures, mask, inpainting, mode, width, height)
    box = crop_box(mask, inpainting.padding, width, height)
    if box is None:
        return Canvas(tuple(fit(picture, mode, width, height) for picture in pictures))
    return _only_masked(pictures, mask, inpainting, box, width, height)


def infotext_of(inpainting: Inpainting) -> dict[str, str | int]:
    """The infotext pairs A1111 writes for a mask."""
    pairs: dict[str, str | int] = {}
    if inpainting.invert:
        pairs["Mask mode"] = "Inpaint not masked"
    if inpainting.blur_x > 0 or inpainting.blur_y > 0:
        pairs["Mask blur"] = inpainting.blur_x
    if inpainting.only_masked:
        pairs |= {"Inpaint area": "Only masked", "Masked area padding": inpainting.padding}
    if inpainting.content is not MaskedContent.ORIGINAL:
        pairs["Masked content"] = inpainting.content.name.lower().replace("_", " ")
    return pairs


def region_of(inpainting: Inpainting, size: tuple[int, int], width: int, height: int) -> Box | None:
    """The box of a picture of that size that will be cut out and painted at width by height; None: nothing is cut."""
    if not inpainting.only_masked:
        return None
    return crop_box(_prepared_mask(inpainting, size), inpainting.padding, width, height)


def crop_box(mask: Image.Image, padding: int, width: int, height: int) -> Box | None:
    """The box of the mask's non-black part with padding, widened to the proportions of width by height.

    It is moved, then cut, to stay inside the picture. None if the mask is black.
    """
    found = mask.getbbox()
    if found is None:
        return None
    left, top = max(0, found[0] - padding), max(0, found[1] - padding)
    right, bottom = min(mask.width, found[2] + padding), min(mask.height, found[3] + padding)
    wanted = width / height
    if (right - left) / (bottom - top) > wanted:
        top, bottom = _widened(top, bottom, round((right - left) / wanted), mask.height)
    else:
        left, right = _widened(left, right, round((bottom - top) * wanted), mask.width)
    return left, top, right, bottom


def _widened(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    length = min(max(length, end - start), limit)
    start = max(0, min(start - (length - (end - start)) // 2, limit - length))
    return start, start + length


def _prepared_mask(inpainting: Inpainting, size: tuple[int, int]) -> Image.Image:
    mask = inpainting.mask.convert("L")
    if mask.size != size:
        mask = mask.resize(size, Image.Resampling.LANCZOS)
    if inpainting.round_mask:
        mask = mask.point(_to_black_or_white)
    if inpainting.invert:
        mask = ImageOps.invert(mask)
    return _blurred(mask, inpainting.blur_x, inpainting.blur_y)


def _to_black_or_white(level: int) -> int:
    return 255 if level > 128 else 0


def _blurred(mask: Image.Image, blur_x: int, blur_y: int) -> Image.Image:
    levels = np.array(mask)
    if blur_x > 0:
        levels = cv2.GaussianBlur(levels, (_kernel(blur_x), 1), blur_x).reshape(levels.shape)
    if blur_y > 0:
        levels = cv2.GaussianBlur(levels, (1, _kernel(blur_y)), blur_y).reshape(levels.shape)
    return Image.fromarray(levels)


def _kernel(blur: int) -> int:
    return 2 * int(2.5 * blur + 0.5) + 1


def _whole(
    pictures: Sequence[Image.Image],
    mask: Image.Image,
    inpainting: Inpainting,
    mode: ResizeMode,
    width: int,
    height: int,
) -> Canvas:
    fitted = [fit(picture, mode, width, height) for picture in pictures]
    mask = fit(mask, mode, width, height)
    doubled = mask.point(_twice)
    overlays = tuple(Overlay(_outside(picture, doubled), None) for picture in fitted)
    return Canvas(tuple(_under_mask(picture, mask, inpainting.content) for picture in fitted), mask, overlays)


def _twice(level: int) -> int:
    return min(255, 2 * level)


def _only_masked(
    pictures: Sequence[Image.Image],
    mask: Image.Image,
    inpainting: Inpainting,
    box: Box,
    width: int,
    height: int,
) -> Canvas:
    alike = [fit(picture, ResizeMode.STRETCH, *mask.size) for picture in pictures]
    overlays = tuple(Overlay(_outside(picture, mask), box) for picture in alike)
    part = fit(mask.crop(box), ResizeMode.FILL, width, height)
    crops = (fit(picture.crop(box), ResizeMode.FILL, width, height) for picture in alike)
    return Canvas(tuple(_under_mask(crop, part, inpainting.content) for crop in crops), part, overlays, box)


def _outside(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """picture in RGBA, transparent where the mask is white."""
    untouched = picture.convert("RGBA")
    untouched.putalpha(ImageOps.invert(mask))
    return untouched


def _under_mask(picture: Image.Image, mask: Image.Image, content: MaskedContent) -> Image.Image:
    return picture if content is MaskedContent.ORIGINAL else fill(picture, mask)


def fill(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """picture with the surroundings' colours spread into the mask: ever finer blurs of what lies outside, stacked."""
    outside = Image.new("RGBa", picture.size)
    outside.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    filled = Image.new("RGBA", picture.size)
    for radius, times in _FILL_BLURS:
        blurred = outside.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            filled = Image.alpha_composite(filled, blurred)
    return filled.convert("RGB")

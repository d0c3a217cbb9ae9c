"""From what a detector found to the masks that are painted: choose, order, move, grow or shrink, merge.

Source: the A1111 contract notes, adetailer sections 2 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageOps

from webui_engine.adetailer.detectors import Detection
from webui_engine.adetailer.tabs import ADetailerArgs

LEFT_TO_RIGHT = "Position (left to right)"
CENTER_TO_EDGE = "Position (center to edge)"
LARGE_TO_SMALL = "Area (large to small)"


def masks(found: Sequence[Detection], tab: ADetailerArgs, order: str) -> tuple[Image.Image, ...]:
    """The masks of a tab in painting order, mode "L", white is repainted. order: one of ``ad_bbox_sortby``'s words."""
    if not found:
        return ()
    size = found[0].mask.size
    chosen = _ordered(_top(_in_ratio(found, tab, size), tab), order, size)
    shaped = [
        _grown(_moved(item.mask, tab.ad_x_offset, tab.ad_y_offset), tab.ad_dilate_erode) for item in chosen
    ]
    return _merged([mask for mask in shaped if mask.getbbox()], tab.ad_mask_merge_invert)


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _in_ratio(found: Sequence[Detection], tab: ADetailerArgs, size: tuple[int, int]) -> list[Detection]:
    whole = size[0] * size[1]
    return [
        item for item in found if tab.ad_mask_min_ratio <= _area(item.box) / whole <= tab.ad_mask_max_ratio
    ]


def _top(found: list[Detection], tab: ADetailerArgs) -> list[Detection]:
    if not tab.ad_mask_k:
        return found
    by_area = tab.ad_mask_filter_method == "Area"
    return sorted(found, key=lambda item: _area(item.box) if by_area else item.confidence, reverse=True)[
        : tab.ad_mask_k
    ]


def _ordered(found: list[Detection], order: str, size: tuple[int, int]) -> list[Detection]:
    if order == LEFT_TO_RIGHT:
        return sorted(found, key=lambda item: item.box[0])
    if order == LARGE_TO_SMALL:
        return sorted(found, key=lambda item: -_area(item.box))
    if order == CENTER_TO_EDGE:
        return sorted(found, key=lambda item: _from_center(item.box, size))
    return found


def _from_center(box: tuple[float, float, float, float], size: tuple[int, int]) -> float:
    return math.hypot((box[0] + box[2] - size[0]) / 2, (box[1] + box[3] - size[1]) / 2)


def _moved(mask: Image.Image, right: int, up: int) -> Image.Image:
    """The mask moved right and up by pixels; what leaves the frame is lost, what enters is black."""
    moved = Image.new("L", mask.size, 0)
    moved.paste(mask, (right, -up))
    return moved


def _grown(mask: Image.Image, pixels: int) -> Image.Image:
    """The mask dilated by a square of so many pixels, eroded where negative."""
    if not pixels:
        return mask
    kernel = np.ones((abs(pixels), abs(pixels)), np.uint8)
    change = cv2.dilate if pixels > 0 else cv2.erode
    return Image.fromarray(np.asarray(change(np.asarray(mask), kernel)))


def _merged(parts: list[Image.Image], how: str) -> tuple[Image.Image, ...]:
    if how == "None" or not parts:
        return tuple(parts)
    whole = parts[0]
    for part in parts[1:]:
        whole = ImageChops.lighter(whole, part)
    return (ImageOps.invert(whole),) if how == "Merge and Invert" else (whole,)

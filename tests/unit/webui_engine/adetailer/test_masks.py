"""From finds to the masks that are painted, on a picture of 10 x 10."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from webui_engine.adetailer.detectors import Detection
from webui_engine.adetailer.masks import CENTER_TO_EDGE, LARGE_TO_SMALL, LEFT_TO_RIGHT, masks
from webui_engine.adetailer.tabs import ADetailerArgs

SIZE = (10, 10)
SMALL, LARGE = (7, 7, 9, 9), (0, 0, 4, 5)


def found(*boxes: tuple[int, int, int, int]) -> list[Detection]:
    return [_found(box, 0.5 + index / 10) for index, box in enumerate(boxes)]


def _found(box: tuple[int, int, int, int], confidence: float) -> Detection:
    mask = Image.new("L", SIZE, 0)
    ImageDraw.Draw(mask).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=255)
    return Detection(box=box, mask=mask, confidence=confidence)


def painted(
    detections: list[Detection], order: str = "None", **fields: Any
) -> list[tuple[int, int, int, int] | None]:
    tab = ADetailerArgs(**({"ad_dilate_erode": 0} | fields))
    return [mask.getbbox() for mask in masks(detections, tab, order)]


def test_finds_are_painted_as_they_came() -> None:
    assert painted(found(SMALL, LARGE)) == [SMALL, LARGE]


@pytest.mark.parametrize(
    ("order", "first"),
    [(LEFT_TO_RIGHT, LARGE), (LARGE_TO_SMALL, LARGE), (CENTER_TO_EDGE, LARGE), ("None", SMALL)],
)
def test_an_order_can_be_asked_for(order: str, first: tuple[int, int, int, int]) -> None:
    assert painted(found(SMALL, LARGE), order)[0] == first


def test_only_the_largest_or_surest_are_kept() -> None:
    assert painted(found(SMALL, LARGE), ad_mask_k=1) == [LARGE]
    assert painted(found(LARGE, SMALL), ad_mask_k=1, ad_mask_filter_method="Confidence") == [SMALL]


def test_a_share_of_the_picture_can_be_demanded() -> None:
    assert painted(found(SMALL, LARGE), ad_mask_min_ratio=0.1) == [LARGE]
    assert painted(found(SMALL, LARGE), ad_mask_max_ratio=0.1) == [SMALL]


def test_masks_move_right_and_up() -> None:
    assert painted(found((2, 4, 4, 6)), ad_x_offset=3, ad_y_offset=2) == [(5, 2, 7, 4)]


def test_masks_grow_and_shrink() -> None:
    assert painted(found((4, 4, 6, 6)), ad_dilate_erode=3) == [(3, 3, 7, 7)]
    assert painted(found((3, 3, 8, 8)), ad_dilate_erode=-3) == [(4, 4, 7, 7)]


def test_a_mask_that_shrinks_to_nothing_is_left_out() -> None:
    assert painted(found((4, 4, 6, 6)), ad_dilate_erode=-4) == []


def test_masks_can_be_merged_and_inverted() -> None:
    assert painted(found(SMALL, LARGE), ad_mask_merge_invert="Merge") == [(0, 0, 9, 9)]
    inverted = masks(
        found(LARGE), ADetailerArgs(ad_dilate_erode=0, ad_mask_merge_invert="Merge and Invert"), "None"
    )
    assert np.asarray(inverted[0])[:5, :4].max() == 0
    assert np.asarray(inverted[0])[5:, :].min() == 255

"""Cutting into tiles and putting together again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from webui_engine.scripts import tiles


@given(some.integers(8, 2000), some.integers(8, 512), some.integers(0, 256))
def test_tiles_cover_the_length_and_overlap_as_asked(length: int, tile: int, overlap: int) -> None:
    overlap = min(overlap, tile - 1)
    starts = tiles.spread(length, tile, overlap)
    assert starts[0] == 0
    assert starts[-1] + tile >= length
    assert all(0 < after - before <= tile - overlap for before, after in pairwise(starts))


def test_tiles_that_were_not_changed_give_the_picture_back(astronaut: Image.Image) -> None:
    boxes = tiles.overlapping(astronaut.size, (200, 160), 32)
    again = tiles.blended(astronaut.size, boxes, [astronaut.crop(box) for box in boxes])
    assert np.abs(np.asarray(again, int) - np.asarray(astronaut, int)).max() == 0


def test_a_seam_between_two_tiles_fades_over_their_overlap() -> None:
    boxes = tiles.overlapping((24, 8), (16, 8), 8)
    assert boxes == ((0, 0, 16, 8), (8, 0, 24, 8))
    black, white = Image.new("RGB", (16, 8), "black"), Image.new("RGB", (16, 8), "white")
    row = np.asarray(tiles.blended((24, 8), boxes, [black, white]))[4, :, 0].astype(int)
    assert (row[0], row[-1]) == (0, 255)
    steps = np.diff(row)
    assert (steps.min(), steps.max()) == (0, 32)


def test_a_soft_mask_stays_hard_at_the_edge_of_the_canvas() -> None:
    levels = np.asarray(tiles.soft((64, 32), (0, 0, 32, 32), 4))
    assert levels[16, 0] == levels[0, 0] == 255
    assert 100 < levels[16, 31] < 160
    assert levels[16, 63] == 0


def test_pasting_changes_only_what_the_mask_shows() -> None:
    canvas, painted = Image.new("RGB", (8, 8), "black"), Image.new("RGB", (4, 4), "white")
    mask = Image.new("L", (8, 8), 0)
    mask.paste(255, (3, 3, 5, 5))
    changed = tiles.pasted(canvas, painted, (2, 2, 6, 6), mask)
    assert np.asarray(changed.convert("L")).astype(bool).sum() == 4


@pytest.mark.parametrize(("most", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (8, [2, 1])])
def test_only_boxes_of_one_size_are_painted_together(most: int, sizes: list[int]) -> None:
    boxes = [(0, 0, 4, 4), (4, 0, 8, 4), (8, 0, 10, 4)]
    assert [len(batch) for batch in tiles.batches(boxes, most)] == sizes

"""Similarity transforms, and pictures made by them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studio.faces.similarity import Similarity, warped

SOME = Similarity.about(1.7, 0.3, (40.0, 25.0), (100.0, 80.0))
PLACES = np.array([(0.0, 0.0), (40.0, 25.0), (-13.5, 200.25)])


def test_the_named_place_comes_to_its_target() -> None:
    assert SOME(np.array([(40.0, 25.0)]))[0] == pytest.approx((100, 80))


def test_lengths_grow_by_the_scale_and_turn_clockwise() -> None:
    ends = SOME(np.array([(0.0, 0.0), (10.0, 0.0)]))
    across, down = ends[1] - ends[0]
    assert math.hypot(across, down) == pytest.approx(17)
    assert math.atan2(down, across) == pytest.approx(0.3)


def test_there_and_back_is_nowhere() -> None:
    assert SOME.inverse()(SOME(PLACES)) == pytest.approx(PLACES)
    assert SOME.then(SOME.inverse())(PLACES) == pytest.approx(PLACES)


def test_one_after_the_other_is_both() -> None:
    other = Similarity.about(0.4, -1.1, (3.0, 4.0), (7.0, -2.0))
    assert SOME.then(other)(PLACES) == pytest.approx(other(SOME(PLACES)))


def test_a_picture_moved_by_whole_pixels_keeps_its_values() -> None:
    pixels = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    moved = warped(pixels, Similarity(1.0, 0.0, -3.0, -2.0), (10, 8), repeat_edge=False)
    assert (moved == pixels[2:10, 3:13]).all()


def test_beyond_the_picture_lies_nothing_or_its_repeated_edge() -> None:
    pixels = np.full((20, 20, 3), 90, dtype=np.uint8)
    shift = Similarity(1.0, 0.0, 30.0, 0.0)
    assert warped(pixels, shift, (20, 20), repeat_edge=False)[:, :25].max() == 0
    assert warped(pixels, shift, (20, 20), repeat_edge=True).min() == 90


def test_a_dot_lands_where_the_transform_says_at_any_scale() -> None:
    pixels = np.zeros((300, 300), dtype=np.uint8)
    pixels[140:160, 200:220] = 255
    for scale in (0.1, 0.5, 2.0):
        way = Similarity.about(scale, 0.2, (150.0, 150.0), (150.0, 150.0))
        made = warped(pixels, way, (300, 300), repeat_edge=False).astype(float)
        rows, columns = np.mgrid[0:300, 0:300] + 0.5
        centre = ((columns * made).sum() / made.sum(), (rows * made).sum() / made.sum())
        assert centre == pytest.approx(way(np.array([(210.0, 150.0)]))[0], abs=0.3)

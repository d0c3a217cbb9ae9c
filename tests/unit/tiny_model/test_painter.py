"""Painted portraits: what is described is what is seen."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_model import words
from tiny_model.canvas import Part
from tiny_model.painter import paint
from tiny_model.portrait import SIZES, SKIN_TONES, Size, random_portrait


@pytest.mark.parametrize("size", ["square", "tall"])
def test_a_seed_always_gives_the_same_picture_of_the_right_size(size: Size) -> None:
    first, second = (paint(random_portrait(7, size)) for _ in range(2))
    width, height = SIZES[size]
    assert first.picture.shape == (height, width, 3)
    assert first.picture.dtype == np.uint8
    assert np.array_equal(first.picture, second.picture)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**40), st.sampled_from(["square", "tall"]))
def test_every_portrait_has_a_face_clothes_or_neck_and_some_background(seed: int, size: Size) -> None:
    parts = Counter(paint(random_portrait(seed, size)).parts.ravel().tolist())
    total = sum(parts.values())
    assert parts[Part.FACE] / total > 0.015
    assert parts[Part.BACKGROUND] / total > 0.02


def test_all_attributes_occur() -> None:
    portraits = [random_portrait(seed) for seed in range(600)]
    assert {one.skin for one in portraits} == set(words.SKINS)
    assert {one.hair_style for one in portraits} == set(words.HAIR_STYLES)
    assert {one.hair_color for one in portraits} == set(words.HAIR_COLORS)
    assert {one.clothes for one in portraits} == set(words.CLOTHES)
    assert {one.framing for one in portraits} == set(words.FRAMINGS)


def test_skin_tones_span_the_human_range_from_light_to_dark() -> None:
    portrait = dataclasses.replace(random_portrait(4), light="soft", beard="none", glasses="none")
    levels = []
    for tone in SKIN_TONES.values():
        painting = paint(dataclasses.replace(portrait, skin_rgb=tone))
        levels.append(float(painting.picture[painting.parts == Part.FACE].mean()))
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 180
    assert levels[-1] < 90


def test_hair_is_painted_in_the_colour_that_is_described() -> None:
    for seed in range(40):
        portrait = dataclasses.replace(random_portrait(seed), hair_style="long", light="soft")
        painting = paint(portrait)
        seen = np.median(painting.picture[painting.parts == Part.HAIR], axis=0)
        assert np.abs(seen - portrait.hair_rgb).max() < 70


def test_bald_portraits_have_no_hair() -> None:
    bald = dataclasses.replace(random_portrait(3), hair_style="bald")
    assert not (paint(bald).parts == Part.HAIR).any()

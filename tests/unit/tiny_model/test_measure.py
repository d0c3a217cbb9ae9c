"""The measure of obedience itself, shown on painted pictures, whose colours are known."""

from __future__ import annotations

from tiny_model.measure import PROMPT_COUNT, measure, wishes

from .painted_wishes import painted

NEARLY_ALL = 0.98
"""One painted picture of 64 may mislead the measure."""


def test_painted_pictures_of_the_prompts_are_found_to_obey_them() -> None:
    asked = wishes()
    found = measure([painted(wish, seed) for seed, wish in enumerate(asked)], asked)
    assert (found.background, found.clothes) == (1.0, 1.0)
    assert found.hair >= NEARLY_ALL
    assert found.overall >= NEARLY_ALL


def test_pictures_of_other_prompts_are_found_not_to_obey() -> None:
    asked = wishes()
    pictures = [painted(wish, seed) for seed, wish in enumerate(asked)]
    assert measure(pictures[1:] + pictures[:1], asked).overall < 0.4


def test_the_prompts_vary_every_colour_and_are_always_the_same() -> None:
    asked = wishes()
    assert len(asked) == PROMPT_COUNT
    assert asked == wishes()
    assert all(
        len({getattr(wish, place) for wish in asked}) >= 6 for place in ("background", "hair", "clothes")
    )

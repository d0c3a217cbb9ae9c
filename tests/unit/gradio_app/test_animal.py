"""The page Animal: which animal is chosen before anybody chooses."""

from __future__ import annotations

from gradio_app.pages.animal import nearest

MATCHES = [
    {"name": "owl", "demonstrated": False},
    {"name": "cat", "demonstrated": True},
    {"name": "bear", "demonstrated": True},
]


def test_the_animal_most_like_the_face_is_chosen() -> None:
    assert nearest(MATCHES, demonstration=False) == "owl"


def test_the_demonstration_model_gets_the_nearest_animal_that_it_has_learnt() -> None:
    assert nearest(MATCHES, demonstration=True) == "cat"


def test_where_it_has_learnt_none_the_nearest_is_chosen_all_the_same() -> None:
    assert nearest(MATCHES[:1], demonstration=True) == "owl"

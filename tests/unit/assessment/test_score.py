"""The score of a candidate, on marks whose order nobody would dispute."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from studio.assessment.score import (
    Judged,
    Seen,
    advice_for,
    best_of,
    lab_of,
    leak_of,
    measure_of,
    obedience_of,
    point_of,
)
from studio.assessment.trials import COLOURS, TRIALS, Trial, preset_of
from studio.faces.values import Resemblance, Surroundings
from studio.values import ReportPoint

TRIAL = TRIALS[0]  # red clothes, blue background
AS_ASKED = Surroundings(background=lab_of("blue"), clothes=lab_of("red"))
AS_LEARNED = Surroundings(background=lab_of("gray"), clothes=lab_of("black"))
NOTHING = Surroundings(background=None, clothes=None)


def judged(
    around: Sequence[Surroundings], heads: Sequence[float], faces: Sequence[float | None] = (None,) * 4
) -> list[Judged]:
    return [
        Judged(
            trial,
            Seen(picture=str(trial.number), resemblance=Resemblance(face=face, head=head), surroundings=seen),
        )
        for trial, seen, head, face in zip(TRIALS, around, heads, faces, strict=True)
    ]


def point(
    likeness: float, around: Sequence[Surroundings], diversity: float = 0.7, steps: int = 100
) -> ReportPoint:
    seen = judged(around, [likeness] * len(TRIALS))
    return point_of(steps, 0.85, seen, "colours", [AS_LEARNED], diversity)


def asked() -> list[Surroundings]:
    return [
        Surroundings(background=lab_of(trial.background), clothes=lab_of(trial.clothes)) for trial in TRIALS
    ]


@pytest.mark.parametrize("name", COLOURS)
def test_named_colours_are_turned_into_lab_as_opencv_does(name: str) -> None:
    picture = np.array([[COLOURS[name]]], dtype=np.float32) / 255
    assert lab_of(name) == pytest.approx(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[0, 0], abs=0.5)


def test_a_picture_with_the_asked_colours_obeys_and_one_with_others_does_not() -> None:
    swapped = Surroundings(background=lab_of("red"), clothes=lab_of("blue"))
    half = Surroundings(background=lab_of("blue"), clothes=lab_of("green"))
    assert obedience_of(TRIAL, AS_ASKED) == 1.0
    assert obedience_of(TRIAL, swapped) == 0.0
    assert obedience_of(TRIAL, half) == 0.5
    assert obedience_of(TRIAL, NOTHING) is None


def test_clothes_and_background_of_one_training_photo_are_a_leak() -> None:
    assert leak_of(TRIAL, AS_LEARNED, [AS_ASKED, AS_LEARNED]) == 1.0
    assert leak_of(TRIAL, AS_ASKED, [AS_LEARNED]) == 0.0
    assert leak_of(TRIAL, NOTHING, [AS_LEARNED]) == 0.0


def test_a_photo_that_has_the_asked_colours_itself_is_no_sign_of_a_leak() -> None:
    assert leak_of(TRIAL, AS_ASKED, [AS_ASKED]) == 0.0


def test_the_background_of_one_photo_and_the_clothes_of_another_are_less_than_a_copy_of_one() -> None:
    one = Surroundings(background=lab_of("gray"), clothes=lab_of("white"))
    other = Surroundings(background=lab_of("yellow"), clothes=lab_of("black"))
    assert leak_of(TRIAL, AS_LEARNED, [one, other]) < leak_of(TRIAL, AS_LEARNED, [AS_LEARNED])


def test_under_trained_and_copying_candidates_score_below_a_good_one() -> None:
    good = point(0.7, asked())
    under = point(0.3, asked())
    copying = point(0.9, [AS_LEARNED] * len(TRIALS))
    alike = point(0.7, asked(), diversity=0.05)
    points = [under, copying, good, alike]
    assert best_of(points) == 2
    assert max(under.score, copying.score, alike.score) < good.score


def test_a_likeness_that_comes_and_goes_counts_less_than_a_steady_one() -> None:
    steady = point_of(1, 1.0, judged(asked(), [0.5] * 4), "colours", [], 0.7)
    unsteady = point_of(1, 1.0, judged(asked(), [0.9, 0.1, 0.9, 0.1]), "colours", [], 0.7)
    assert unsteady.likeness == steady.likeness
    assert unsteady.score < steady.score


def test_faces_are_compared_when_half_of_the_pictures_show_one_and_the_others_then_have_no_likeness() -> None:
    seen = judged(asked(), [0.9] * 4, [0.8, 0.8, None, None])
    assert measure_of(seen) == "face"
    assert measure_of(judged(asked(), [0.9] * 4, [0.8, None, None, None])) == "colours"
    assert point_of(1, 1.0, seen, "face", [], 0.7).likeness == pytest.approx(0.4)


def test_of_equally_good_candidates_the_one_with_fewer_steps_is_taken() -> None:
    assert best_of([point(0.5, asked(), steps=200), point(0.5, asked(), steps=100)]) == 1


def test_advice_names_what_the_curve_shows() -> None:
    early, late = point(0.4, asked(), steps=50), point(0.6, asked(), steps=100)
    assert advice_for([early, late], late).model_dump() == {"code": "more_steps", "data": {"steps": 150}}
    worse = point(0.3, asked(), steps=100)
    assert advice_for([early, worse], early).model_dump() == {"code": "fewer_steps", "data": {"steps": 50}}
    copying = point(0.9, [AS_LEARNED] * len(TRIALS), steps=100)
    assert advice_for([early, copying], copying).code == "vary_photos"
    level = point(0.4, asked(), steps=100)
    assert advice_for([early, level], level).code == "keep"
    unlike = point(0.2, asked(), steps=100)
    assert advice_for([unlike, unlike], unlike).code == "better_photos"


@pytest.mark.parametrize("trial", TRIALS)
def test_every_trial_asks_for_its_colours_of_the_person_in_words(trial: Trial) -> None:
    preset = preset_of(trial, 0.7, demonstration=True)
    assert preset.prompt is not None
    assert all(word in preset.prompt for word in ("{subject}", trial.clothes, trial.background))
    assert (preset.lora_weight, preset.identity) == (0.7, "lora")
    assert trial.clothes != trial.background

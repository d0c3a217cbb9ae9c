"""How good a candidate is, from what was seen in its validation pictures; docs/decisions says why it is so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Literal, NamedTuple

from studio.assessment.trials import COLOURS, Trial
from studio.faces.values import Lab, Resemblance, Surroundings
from studio.values.base import Value
from studio.values.reports import Advice, ReportPicture, ReportPoint

FaceMeasure = Literal["face", "colours"]

LIGHTNESS_SHARE = 0.5
"""Lightness counts half, since light and shade change it most."""
TELLING_DISTANCE = 25.0
"""A training photo whose colour is nearer than this to the asked one cannot be told from obedience."""
MUCH_LEAK = 0.35
LITTLE_LIKENESS = 0.3
STILL_RISING = 1.03
MORE_STEPS = 1.5


class Seen(Value):
    """What was seen in one validation picture. picture: SHA-256 of its file."""

    picture: str
    resemblance: Resemblance
    surroundings: Surroundings


class Judged(NamedTuple):
    """A trial with what was seen in its picture."""

    trial: Trial
    seen: Seen


def measure_of(judged: Sequence[Judged]) -> FaceMeasure:
    """The measure of likeness for pictures that are compared: faces, if at least half of them show one."""
    faces = sum(one.seen.resemblance.face is not None for one in judged)
    return "face" if judged and 2 * faces >= len(judged) else "colours"


def likeness_of(seen: Seen, measure: FaceMeasure) -> float:
    """The likeness by a measure; 0 where faces are compared and this picture shows none."""
    if measure == "colours":
        return seen.resemblance.head
    return seen.resemblance.face or 0.0


def obedience_of(trial: Trial, seen: Surroundings) -> float | None:
    """How much background and clothes have the asked colours, 0 to 1; None where neither can be seen.

    For a place that is a from the asked colour and b from the nearest other one of COLOURS: 1 where it has the asked
    colour, 1/2 where both are as near, 0 where it has another one: b / (a + b).
    """
    places = ((seen.background, trial.background), (seen.clothes, trial.clothes))
    shares = [_obeys(colour, asked) for colour, asked in places if colour is not None]
    return fmean(shares) if shares else None


def leak_of(trial: Trial, seen: Surroundings, photos: Sequence[Surroundings]) -> float:
    """How much background and clothes come from one and the same training photo instead, 0 to 1.

    For a place with the asked colour at a distance of a, the photo's at p, and both of them d apart: (a - p) / d, at
    least 0: 1 where it is the photo's colour, 0 where the asked one is as near.
    """
    return max((_leak_from(trial, seen, photo) for photo in photos), default=0.0)


def _leak_from(trial: Trial, seen: Surroundings, photo: Surroundings) -> float:
    places = (
        (seen.background, trial.background, photo.background),
        (seen.clothes, trial.clothes, photo.clothes),
    )
    shares = []
    for colour, name, learned in places:
        if colour is None or learned is None:
            continue
        asked = lab_of(name)
        between = colour_distance(asked, learned)
        if between >= TELLING_DISTANCE:
            nearer = colour_distance(colour, asked) - colour_distance(colour, learned)
            shares.append(max(nearer / between, 0.0))
    return fmean(shares) if shares else 0.0


def point_of(
    steps: int,
    weight: float,
    judged: Sequence[Judged],
    measure: FaceMeasure,
    photos: Sequence[Surroundings],
    diversity: float,
) -> ReportPoint:
    """A candidate at one weight, from at least one validation picture."""
    pictures = tuple(_picture(one, measure, photos) for one in judged)
    likeness = [picture.likeness for picture in pictures]
    obeyed = [picture.obedience for picture in pictures if picture.obedience is not None]
    marks = {
        "likeness": fmean(likeness),
        "likeness_spread": pstdev(likeness),
        "obedience": fmean(obeyed) if obeyed else 0.0,
        "leak": fmean(picture.leak for picture in pictures),
        "diversity": diversity,
    }
    return ReportPoint(
        steps=steps,
        weight=weight,
        score=round(score(**marks), 4),
        pictures=pictures,
        **{name: round(value, 4) for name, value in marks.items()},
    )


def score(likeness: float, likeness_spread: float, obedience: float, leak: float, diversity: float) -> float:
    """One number, 0 to 1, of marks from 0 to 1: sure^0.5 x obedience^0.25 x (1 - leak)^0.15 x diversity^0.1.

    sure: the likeness less half its spread. A product, so that no mark makes up for one that is nought; powers, so that
    the scale of a mark does not matter for the order.
    """
    sure = max(likeness - likeness_spread / 2, 0.0)
    powers = (sure, 0.5), (obedience, 0.25), (1 - leak, 0.15), (diversity, 0.1)
    return math.prod(math.pow(mark, power) for mark, power in powers)


def best_of(points: Sequence[ReportPoint]) -> int:
    """Index of the point with the highest score; of equals the one with fewer steps, then with less weight."""
    return min(
        range(len(points)),
        key=lambda index: (-points[index].score, points[index].steps, points[index].weight),
    )


def advice_for(curve: Sequence[ReportPoint], chosen: ReportPoint) -> Advice:
    """What would help next time. curve: the candidates at one weight, oldest first."""
    if chosen.leak >= MUCH_LEAK:
        return Advice(code="vary_photos")
    if chosen.steps < curve[-1].steps:
        return Advice(code="fewer_steps", data={"steps": chosen.steps})
    if len(curve) > 1 and curve[-1].score >= curve[-2].score * STILL_RISING:
        return Advice(code="more_steps", data={"steps": round(curve[-1].steps * MORE_STEPS)})
    return Advice(code="better_photos" if chosen.likeness < LITTLE_LIKENESS else "keep")


def lab_of(name: str) -> Lab:
    """The CIE L*a*b* of a colour of COLOURS (sRGB, D65; IEC 61966-2-1 and CIE 15)."""
    red, green, blue = (_linear(value / 255) for value in COLOURS[name])
    x = _lightness((0.412453 * red + 0.357580 * green + 0.180423 * blue) / 0.950456)
    y = _lightness(0.212671 * red + 0.715160 * green + 0.072169 * blue)
    z = _lightness((0.019334 * red + 0.119193 * green + 0.950227 * blue) / 1.088754)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def colour_distance(one: Lab, other: Lab) -> float:
    """How far apart two colours are, lightness counting half."""
    light, red, yellow = (first - second for first, second in zip(one, other, strict=True))
    return math.hypot(LIGHTNESS_SHARE * light, red, yellow)


def _obeys(colour: Lab, asked: str) -> float:
    to_asked = colour_distance(colour, lab_of(asked))
    to_other = min(colour_distance(colour, lab_of(name)) for name in COLOURS if name != asked)
    return to_other / (to_asked + to_other)


def _picture(one: Judged, measure: FaceMeasure, photos: Sequence[Surroundings]) -> ReportPicture:
    trial, seen = one
    return ReportPicture(
        id=seen.picture,
        background=trial.background,
        clothes=trial.clothes,
        likeness=likeness_of(seen, measure),
        obedience=obedience_of(trial, seen.surroundings),
        leak=min(leak_of(trial, seen.surroundings, photos), 1.0),
    )


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _lightness(value: float) -> float:
    return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

"""The coach: what a set of photos covers, and what one more photo would help most. Pure decisions from verdicts.

Wanted are, of about ten photos, most from the front and some from each side, calm and smiling, mostly in even light:
ten to fifteen good photos that differ are what a person is learned best from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from studio.faces.values import ColourShare, HeadLook
from studio.intake.looks import Angle, Expression, Framing, Light, photo_look
from studio.intake.values import JudgedPhoto, ReasonCode, SetVerdict, Status, Verdict

RECOMMENDED_PHOTOS = 10
WANTED_ANGLES: Mapping[Angle, int] = {Angle.FRONT: 4, Angle.LEFT: 2, Angle.RIGHT: 2}
WANTED_EXPRESSIONS: Mapping[Expression, int] = {Expression.NEUTRAL: 3, Expression.SMILING: 3}
WANTED_LIGHTS: Mapping[Light, int] = {Light.EVEN: 4, Light.SIDE: 1}
WANTED: Mapping[str, int] = dict(
    (*WANTED_ANGLES.items(), *WANTED_EXPRESSIONS.items(), *WANTED_LIGHTS.items())
)
ENOUGH_TO_COMPARE = 3
SAME_SHARE = 0.7

Kind = TypeVar("Kind", Angle, Expression, Light, Framing)


class CoachValue(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Coverage(CoachValue):
    """How many of the usable photos show what; every kind is named, also with none."""

    angles: dict[Angle, int]
    expressions: dict[Expression, int]
    lights: dict[Light, int]
    framings: dict[Framing, int]


class Wish(CoachValue):
    """The one more photo that would help most. None, False: as it comes."""

    angle: Angle | None = None
    expression: Expression | None = None
    light: Light | None = None
    other_clothes: bool = False
    other_background: bool = False


class Duplicates(CoachValue):
    """Ids of photos that show nearly the same: the best, which is kept, and the others."""

    best: str
    others: tuple[str, ...]


class Coach(CoachValue):
    """What there is to say about a set.

    usable: photos that can be learned from; sharp: those of them without a reason against their sharpness. wish: None
    when nothing is missing. strangers: ids of photos of somebody else.
    """

    usable: int
    recommended: int = RECOMMENDED_PHOTOS
    sharp: int
    coverage: Coverage
    wish: Wish | None
    strangers: tuple[str, ...]
    duplicates: tuple[Duplicates, ...]


def coach(photos: Sequence[JudgedPhoto], verdict: SetVerdict) -> Coach:
    """What the set covers and lacks. verdict: on these photos (studio.intake.verdicts.judge_set)."""
    usable = [photo for photo in photos if verdict.verdicts[photo.id].status is not Status.UNFIT]
    looks = [photo.findings.look for photo in usable if photo.findings.look]
    coverage = _coverage(looks)
    return Coach(
        usable=len(usable),
        sharp=sum(not _codes(verdict.verdicts[photo.id]) & _SOFT for photo in usable),
        coverage=coverage,
        wish=_wish(coverage, looks, len(usable)),
        strangers=tuple(
            photo.id for photo in photos if ReasonCode.OTHER_PERSON in _codes(verdict.verdicts[photo.id])
        ),
        duplicates=_duplicates(photos, verdict),
    )


_SOFT = frozenset({ReasonCode.BLURRED, ReasonCode.COMPRESSED})


def _codes(verdict: Verdict) -> set[ReasonCode]:
    return {reason.code for reason in verdict.reasons}


def _coverage(measured: Sequence[HeadLook]) -> Coverage:
    looks = [photo_look(look) for look in measured]
    return Coverage(
        angles=_counts(Angle, (look.angle for look in looks)),
        expressions=_counts(Expression, (look.expression for look in looks)),
        lights=_counts(Light, (look.light for look in looks)),
        framings=_counts(Framing, (look.framing for look in looks)),
    )


def _counts(kinds: type[Kind], seen: Iterable[Kind]) -> dict[Kind, int]:
    counted = Counter(seen)
    return {kind: counted[kind] for kind in kinds}


def _wish(coverage: Coverage, looks: Sequence[HeadLook], usable: int) -> Wish | None:
    wish = Wish(
        angle=_scarcest(coverage.angles, WANTED_ANGLES),
        expression=_scarcest(coverage.expressions, WANTED_EXPRESSIONS),
        light=_scarcest(coverage.lights, WANTED_LIGHTS),
        other_clothes=_are_the_same([look.attire for look in looks]),
        other_background=_are_the_same([look.background for look in looks]),
    )
    return None if wish == Wish() and usable >= RECOMMENDED_PHOTOS else wish


def _scarcest(seen: Mapping[Kind, int], wanted: Mapping[Kind, int]) -> Kind | None:
    """The kind of which the smallest share of what is wanted is there; None when all is there."""
    kind = min(wanted, key=lambda kind: seen[kind] / wanted[kind])
    return kind if seen[kind] < wanted[kind] else None


def _are_the_same(palettes: Sequence[Sequence[ColourShare]]) -> bool:
    """Whether most of at least three photos have the same main colour there."""
    main = Counter(palette[0].name for palette in palettes if palette)
    total = sum(main.values())
    return total >= ENOUGH_TO_COMPARE and max(main.values()) >= SAME_SHARE * total


def _duplicates(photos: Sequence[JudgedPhoto], verdict: SetVerdict) -> tuple[Duplicates, ...]:
    others: dict[str, list[str]] = {}
    for photo in photos:
        for reason in verdict.verdicts[photo.id].reasons:
            if reason.code is ReasonCode.NEAR_DUPLICATE:
                others.setdefault(str(reason.data["photo"]), []).append(photo.id)
    return tuple(Duplicates(best=best, others=tuple(ids)) for best, ids in others.items())

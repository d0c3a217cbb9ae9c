"""How often each reason is right, on a labelled set that is made by spoiling photos of two real people.

A spoilt photo is labelled with the reason that its way of spoiling gives, an untouched one with none. Counted is what
the verdict on the set names, against the label. The scores are shown at the end of the run.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter

from studio.faces.check import check
from studio.faces.values import PhotoFindings
from studio.intake import decode
from studio.intake.values import JudgedPhoto, ReasonCode
from studio.intake.verdicts import judge_set
from tests.persons import as_jpeg, astronaut, hopper

pytestmark = pytest.mark.xdist_group("labelled_set")  # looked at once, in one process

LEAST = 0.9
PEOPLE: Mapping[str, Callable[[int], list[bytes]]] = {"astronaut": astronaut, "hopper": hopper}

Picture = Image.Image


@dataclass(frozen=True)
class Labelled:
    """A photo with the reasons it was given."""

    name: str
    photo: bytes
    reasons: frozenset[ReasonCode]


@dataclass(frozen=True)
class Score:
    """Of one reason: how many were rightly named, wrongly named, and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)


def picture(photo: bytes) -> Picture:
    return Image.open(io.BytesIO(photo)).convert("RGB")


@cache
def findings(photo: bytes) -> PhotoFindings:
    return check(decode(photo, "photo.jpg").jpeg)


def blurred(radius: float) -> Callable[[Picture], bytes]:
    return lambda whole: as_jpeg(whole.filter(ImageFilter.GaussianBlur(radius)))


def lit(factor: float) -> Callable[[Picture], bytes]:
    return lambda whole: as_jpeg(ImageEnhance.Brightness(whole).enhance(factor))


def shaken(whole: Picture) -> bytes:
    """Moved by 25 pixels during the exposure."""
    pixels = np.asarray(whole, dtype=np.float32)
    moved = np.mean([np.roll(pixels, shift, axis=1) for shift in range(25)], axis=0)
    return as_jpeg(Image.fromarray(moved.astype(np.uint8)).crop((25, 0, whole.width, whole.height)))


def without_one_half(whole: Picture, *, left: bool) -> bytes:
    face = findings(as_jpeg(whole)).faces[0].box
    middle = (face.left + face.right) // 2
    sides = (middle, 0, whole.width, whole.height) if left else (0, 0, middle, whole.height)
    return as_jpeg(whole.crop(sides))


def without_the_chin(whole: Picture) -> bytes:
    face = findings(as_jpeg(whole)).faces[0].box
    return as_jpeg(whole.crop((0, 0, whole.width, face.bottom - face.height // 3)))


def turned(degrees: int) -> Callable[[Picture], bytes]:
    return lambda whole: as_jpeg(whole.rotate(degrees, expand=True))


def compressed(quality: int) -> Callable[[Picture], bytes]:
    return lambda whole: as_jpeg(whole, quality=quality)


def shrunk(whole: Picture) -> bytes:
    return as_jpeg(whole.resize((200, 200 * whole.height // whole.width), Image.Resampling.LANCZOS))


def far_away(whole: Picture) -> bytes:
    scene = Image.new("RGB", (2000, 1400), (90, 120, 90))
    scene.paste(whole.resize((230, 230 * whole.height // whole.width), Image.Resampling.LANCZOS), (1200, 700))
    return as_jpeg(scene)


def beside_another(whole: Picture) -> bytes:
    wide = Image.new("RGB", (whole.width * 2, whole.height))
    wide.paste(whole, (0, 0))
    wide.paste(picture(hopper(1)[0]).resize(whole.size), (whole.width, 0))
    return as_jpeg(wide)


SPOILT: Sequence[tuple[str, Callable[[Picture], bytes], ReasonCode]] = (
    ("blurred a little", blurred(6), ReasonCode.BLURRED),
    ("blurred much", blurred(12), ReasonCode.BLURRED),
    ("shaken", shaken, ReasonCode.BLURRED),
    ("in the dark", lit(0.15), ReasonCode.TOO_DARK),
    ("in dim light", lit(0.3), ReasonCode.TOO_DARK),
    ("burnt out", lit(2.6), ReasonCode.TOO_BRIGHT),
    ("cut at the left", lambda whole: without_one_half(whole, left=True), ReasonCode.FACE_CUT_OFF),
    ("cut at the right", lambda whole: without_one_half(whole, left=False), ReasonCode.FACE_CUT_OFF),
    ("cut at the chin", without_the_chin, ReasonCode.FACE_CUT_OFF),
    ("on its left side", turned(90), ReasonCode.TURNED),
    ("on its head", turned(180), ReasonCode.TURNED),
    ("on its right side", turned(270), ReasonCode.TURNED),
    ("compressed much", compressed(9), ReasonCode.COMPRESSED),
    ("compressed to ruins", compressed(4), ReasonCode.COMPRESSED),
    ("shrunk", shrunk, ReasonCode.FACE_TOO_SMALL),
    ("far away", far_away, ReasonCode.FACE_TOO_SMALL),
    ("beside another", beside_another, ReasonCode.SEVERAL_FACES),
)

SAME_AGAIN: Mapping[str, Callable[[Picture], bytes]] = {
    "forwarded": compressed(40),
    "smaller": lambda whole: as_jpeg(whole.resize((round(whole.width * 0.8), round(whole.height * 0.8)))),
    "brighter and forwarded": lambda whole: compressed(50)(picture(lit(1.12)(whole))),
    "cropped": lambda whole: as_jpeg(whole.crop((12, 12, whole.width - 12, whole.height - 12))),
}
NOBODY = ("coffee", "chelsea", "rocket", "coins", "brick")


def spoilt(person: str) -> Iterator[Labelled]:
    """Photos 0 to 2 of a person, each spoilt in every way."""
    for number, photo in enumerate(PEOPLE[person](3)):
        for way, spoil, reason in SPOILT:
            yield Labelled(f"{person} {number} {way}", spoil(picture(photo)), frozenset({reason}))


def repeated(person: str) -> Iterator[Labelled]:
    """Ten good photos of a person, and eight of them again, each made a little worse."""
    good = PEOPLE[person](10)
    yield from (Labelled(f"{person} {number}", photo, frozenset()) for number, photo in enumerate(good))
    for number, (way, spoil) in enumerate([*SAME_AGAIN.items()] * 2):
        again = spoil(picture(good[number]))
        yield Labelled(f"{person} {number} {way}", again, frozenset({ReasonCode.NEAR_DUPLICATE}))


def mixed(person: str, other: str) -> Iterator[Labelled]:
    """Seven photos of a person with three of another among them."""
    for number, photo in enumerate(PEOPLE[person](7)):
        yield Labelled(f"{person} {number}", photo, frozenset())
    for number, photo in enumerate(PEOPLE[other](3)):
        yield Labelled(f"{other} {number}", photo, frozenset({ReasonCode.OTHER_PERSON}))


def nobody() -> Iterator[Labelled]:
    for name in NOBODY:
        photo = as_jpeg(Image.fromarray(getattr(skimage.data, name)()).convert("RGB").resize((768, 640)))
        yield Labelled(name, photo, frozenset({ReasonCode.NO_FACE}))


def sets() -> Iterator[list[Labelled]]:
    """The sets that are judged; spoilt photos and those without anybody are sets of one."""
    for photo in (*spoilt("astronaut"), *spoilt("hopper"), *nobody()):
        yield [photo]
    for person, other in (("astronaut", "hopper"), ("hopper", "astronaut")):
        yield list(repeated(person))
        yield list(mixed(person, other))


def judged() -> Iterator[tuple[Labelled, frozenset[ReasonCode]]]:
    """Every photo with the reasons that its set's verdict names."""
    for photos in sets():
        verdict = judge_set([JudgedPhoto(id=one.name, findings=findings(one.photo)) for one in photos])
        for one in photos:
            yield one, frozenset(reason.code for reason in verdict.verdicts[one.name].reasons)


@pytest.fixture(scope="module")
def results() -> list[tuple[Labelled, frozenset[ReasonCode]]]:
    return list(judged())


@pytest.fixture(scope="module")
def scores(results: list[tuple[Labelled, frozenset[ReasonCode]]]) -> dict[ReasonCode, Score]:
    right, wrong, missed = Counter[ReasonCode](), Counter[ReasonCode](), Counter[ReasonCode]()
    for one, named in results:
        right.update(named & one.reasons)
        wrong.update(named - one.reasons)
        missed.update(one.reasons - named)
    return {code: Score(right[code], wrong[code], missed[code]) for code in ReasonCode}


@pytest.fixture(scope="module")
def log(
    results: list[tuple[Labelled, frozenset[ReasonCode]]],
    scores: dict[ReasonCode, Score],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The table of scores, and every photo that was not seen as it is labelled."""
    lines = [f"{'reason':<16}{'photos':>8}{'precision':>11}{'recall':>8}"]
    for code, score in scores.items():
        lines.append(
            f"{code.value:<16}{score.right + score.missed:>8}{score.precision:>11.2f}{score.recall:>8.2f}"
        )
    lines += [
        f"{one.name}: {sorted(named)} instead of {sorted(one.reasons)}"
        for one, named in results
        if named != one.reasons
    ]
    path = tmp_path_factory.mktemp("labelled-set") / "scores.log"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("code", list(ReasonCode))
def test_a_reason_is_right_and_is_not_missed(
    code: ReasonCode,
    scores: dict[ReasonCode, Score],
    log: Path,
    record_property: Callable[[str, str], None],
) -> None:
    record_property("log", str(log))
    assert scores[code].right + scores[code].missed >= 5
    assert scores[code].precision >= LEAST
    assert scores[code].recall >= LEAST


def test_untouched_photos_have_no_reason(results: list[tuple[Labelled, frozenset[ReasonCode]]]) -> None:
    untouched = [named for one, named in results if not one.reasons]
    assert len(untouched) > 30
    assert sum(bool(named) for named in untouched) <= 0.1 * len(untouched)

"""Verdicts on photos of two real people, spoilt in every way that has a reason of its own."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import pytest
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter

from studio.faces.check import check
from studio.faces.values import PhotoFindings
from studio.intake import decode
from studio.intake.values import JudgedPhoto, SetVerdict, Status
from studio.intake.verdicts import judge, judge_set
from tests.persons import as_jpeg, astronaut, hopper


@cache
def _findings(photo: bytes) -> PhotoFindings:
    return check(decode(photo, "photo.jpg").jpeg)


def _picture(photo: bytes) -> Image.Image:
    return Image.open(io.BytesIO(photo)).convert("RGB")


def _codes(photo: bytes) -> list[str]:
    return [reason.code.value for reason in judge(_findings(photo)).reasons]


@pytest.mark.parametrize("photo", [*astronaut(), *hopper()], ids=lambda photo: f"{len(photo)} bytes")
def test_a_good_photo_is_fit(photo: bytes) -> None:
    assert judge(_findings(photo)).status == "fit"


def _left_half_of_the_face(picture: Image.Image) -> Image.Image:
    face = _findings(as_jpeg(picture)).faces[0].box
    return picture.crop(((face.left + face.right) // 2, 0, picture.width, picture.height))


def _beside(picture: Image.Image) -> Image.Image:
    other = _picture(hopper(1)[0]).resize(picture.size)
    wide = Image.new("RGB", (picture.width * 2, picture.height))
    wide.paste(picture, (0, 0))
    wide.paste(other, (picture.width, 0))
    return wide


SPOILT: dict[str, tuple[Callable[[Image.Image], Image.Image], str]] = {
    "blurred by camera shake": (lambda picture: picture.filter(ImageFilter.GaussianBlur(9)), "blurred"),
    "badly blurred": (lambda picture: picture.filter(ImageFilter.GaussianBlur(18)), "blurred"),
    "in the dark": (lambda picture: ImageEnhance.Brightness(picture).enhance(0.15), "too_dark"),
    "burnt out": (lambda picture: ImageEnhance.Brightness(picture).enhance(2.2), "too_bright"),
    "shrunk": (lambda picture: picture.resize((200, 200)), "face_too_small"),
    "cut through the face": (_left_half_of_the_face, "face_cut_off"),
    "two people": (_beside, "several_faces"),
    "no one": (lambda picture: Image.fromarray(skimage.data.coffee()), "no_face"),
    "a cat": (lambda picture: Image.fromarray(skimage.data.chelsea()), "no_face"),
    "nothing at all": (lambda picture: Image.new("RGB", (800, 800), (128, 128, 128)), "no_face"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_photo_is_unfit_for_its_reason(name: str) -> None:
    spoil, code = SPOILT[name]
    photo = as_jpeg(spoil(_picture(astronaut(1)[0])))

    assert judge(_findings(photo)).status == "unfit"
    assert _codes(photo)[0] == code


def test_a_person_far_away_is_too_small_and_not_absent() -> None:
    scene = Image.new("RGB", (2400, 1600), (90, 120, 90))
    scene.paste(_picture(astronaut(1)[0]).resize((260, 250)), (1500, 900))

    assert _codes(as_jpeg(scene))[0] == "face_too_small"


def test_every_reason_has_a_remedy_and_numbers_where_they_help() -> None:
    small = judge(_findings(as_jpeg(_picture(astronaut(1)[0]).resize((200, 200))))).reasons[0]

    assert small.remedy == "come_closer"
    assert float(small.data["portrait_pixels"]) < float(small.data["needed_pixels"])


def _set_of(**photos: bytes) -> SetVerdict:
    return judge_set([JudgedPhoto(id=name, findings=_findings(photo)) for name, photo in photos.items()])


def _reasons(verdict: SetVerdict, photo: str) -> list[str]:
    return [reason.code.value for reason in verdict.verdicts[photo].reasons]


def test_three_fit_photos_are_enough() -> None:
    verdict = _set_of(**dict(zip("abc", astronaut(3))))

    assert (verdict.enough, verdict.fit, verdict.code) == (True, 3, "enough")


def test_a_small_set_asks_for_more() -> None:
    verdict = _set_of(**dict(zip("ab", astronaut(2))))

    assert (verdict.enough, verdict.fit, verdict.needed, verdict.code) == (False, 2, 3, "add_photos")


def test_no_photos_ask_for_photos() -> None:
    assert _set_of().code == "add_photos"


def test_the_same_picture_again_is_a_near_duplicate_of_the_first() -> None:
    first, second = astronaut(2)
    again = as_jpeg(_picture(first).resize((700, 690)), quality=60)
    verdict = _set_of(first=first, second=second, again=again)

    assert _reasons(verdict, "again") == ["near_duplicate"]
    assert verdict.verdicts["again"].reasons[0].data == {"photo": "first"}
    assert (verdict.fit, verdict.code) == (2, "add_variety")


def test_a_stranger_among_the_photos_is_named_wherever_they_stand() -> None:
    verdict = _set_of(stranger=hopper(1)[0], **dict(zip("abc", astronaut(3))))

    assert _reasons(verdict, "stranger") == ["other_person"]
    assert [_reasons(verdict, photo) for photo in "abc"] == [[], [], []]
    assert verdict.fit == 3


def test_of_two_people_with_as_many_photos_the_first_is_the_subject() -> None:
    hers, his = astronaut(2), hopper(2)
    verdict = _set_of(a=hers[0], b=his[0], c=his[1], d=hers[1])

    assert [_reasons(verdict, photo) for photo in "abcd"] == [[], ["other_person"], ["other_person"], []]
    assert verdict.code == "one_person_only"


def test_a_spoilt_photo_keeps_its_own_reason_in_the_set() -> None:
    blurred = as_jpeg(_picture(astronaut(1)[0]).filter(ImageFilter.GaussianBlur(9)))
    verdict = _set_of(blurred=blurred, **dict(zip("abc", astronaut(3))))

    assert _reasons(verdict, "blurred") == ["blurred"]


def test_findings_survive_being_kept_as_json() -> None:
    findings = _findings(astronaut(1)[0])

    assert PhotoFindings.model_validate_json(findings.model_dump_json()) == findings


def test_a_phone_photo_of_twelve_megapixels_is_read_and_judged() -> None:
    photo = as_jpeg(_picture(astronaut(1)[0]).resize((4032, 3024)), quality=92)

    assert judge(check(decode(photo, "phone.jpg").jpeg)).status == Status.FIT

"""What a set of photos covers, what one more would help most, and the words a training gets for each."""

from __future__ import annotations

from typing import Any

import pytest

from studio.faces.values import Box, ColourShare, Face, FaceMeasures, HeadLook, PhotoFindings
from studio.intake.captions import LONGEST_CAPTION, automatic_caption
from studio.intake.coach import Coach, coach
from studio.intake.looks import Angle, Expression, Framing, Light, photo_look
from studio.intake.values import JudgedPhoto
from studio.intake.verdicts import judge_set

FRONT = HeadLook(
    roll=0,
    yaw=0,
    pitch=0,
    eyes_open=0.3,
    mouth_open=0,
    smile=0,
    light=160,
    light_side=0,
    below_chin=2,
    attire=(ColourShare(name="dark blue", share=0.8), ColourShare(name="white", share=0.1)),
    background=(ColourShare(name="beige", share=0.7), ColourShare(name="brown", share=0.25)),
    background_detail=100,
)


def look(**changes: Any) -> HeadLook:
    return FRONT.model_copy(update=changes)


def colour(name: str) -> tuple[ColourShare, ...]:
    return (ColourShare(name=name, share=0.9),)


def findings(seen: HeadLook | None, number: int = 0, **changes: Any) -> PhotoFindings:
    """A good photo that looks so; other numbers are other pictures."""
    good = PhotoFindings(
        width=1200,
        height=1600,
        faces=(Face(box=Box(left=400, top=400, right=800, bottom=800), score=0.95),),
        measures=FaceMeasures(sharpness=200, light=180, clipped=0, contrast=50),
        embedding=(0.0,) * 128,
        fingerprint=f"{number * 0x0123456789ABCDEF % 2**64:016x}",
        look=seen,
    )
    return good.model_copy(update=changes)


def coached(*photos: PhotoFindings) -> Coach:
    judged = [JudgedPhoto(id=str(number), findings=photo) for number, photo in enumerate(photos)]
    return coach(judged, judge_set(judged))


def of_looks(*looks: HeadLook) -> Coach:
    return coached(*(findings(one, number) for number, one in enumerate(looks)))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, Angle.FRONT),
        ({"yaw": -20}, Angle.LEFT),
        ({"yaw": 20}, Angle.RIGHT),
        ({"pitch": -20}, Angle.RAISED),
        ({"pitch": 20}, Angle.LOWERED),
        ({"smile": 0.1}, Expression.SMILING),
        ({"mouth_open": 0.4}, Expression.MOUTH_OPEN),
        ({"eyes_open": 0.1}, Expression.EYES_CLOSED),
        ({"light": 60}, Light.DIM),
        ({"light_side": -0.4}, Light.SIDE),
        ({"below_chin": 0.4}, Framing.CLOSE_UP),
        ({"below_chin": 5}, Framing.UPPER_BODY),
        ({"below_chin": 9}, Framing.FULL_BODY),
    ],
)
def test_what_was_measured_belongs_to_a_kind(changes: dict[str, float], kind: str) -> None:
    assert kind in dict(photo_look(look(**changes))).values()


def test_photos_from_the_front_alone_ask_for_one_from_the_side() -> None:
    told = of_looks(*[FRONT] * 5)
    assert told.coverage.angles[Angle.FRONT] == 5
    assert told.wish is not None
    assert (told.wish.angle, told.wish.expression, told.wish.light) == (
        Angle.LEFT,
        Expression.SMILING,
        Light.SIDE,
    )


def test_the_side_that_is_there_already_is_not_asked_for() -> None:
    told = of_looks(FRONT, FRONT, FRONT, FRONT, look(yaw=-20), look(yaw=-25))
    assert told.wish is not None
    assert told.wish.angle is Angle.RIGHT


def test_dim_photos_ask_for_daylight() -> None:
    told = of_looks(look(light=60), look(light=70), look(light_side=0.5))
    assert told.wish is not None
    assert told.wish.light is Light.EVEN


def test_no_photos_ask_for_the_plainest_one() -> None:
    told = of_looks()
    assert (told.usable, told.sharp) == (0, 0)
    assert told.wish is not None
    assert (told.wish.angle, told.wish.light) == (Angle.FRONT, Light.EVEN)


def varied() -> list[HeadLook]:
    """Ten looks that cover all that is wanted."""
    yaws = (0, 0, 0, 0, -20, -20, 20, 20, 0, 0)
    return [
        look(
            yaw=yaw,
            smile=0.1 * (number % 2),
            light_side=0.4 if number == 9 else 0,
            attire=colour(("red", "green", "blue", "white")[number % 4]),
            background=colour(("grey", "beige", "brown")[number % 3]),
        )
        for number, yaw in enumerate(yaws)
    ]


def test_ten_photos_that_differ_leave_nothing_to_wish() -> None:
    assert of_looks(*varied()).wish is None


def test_a_few_that_cover_all_still_ask_for_more_as_they_come() -> None:
    told = of_looks(*varied()[:9], look(light_side=0.5))
    fewer = coached(*(findings(one, number) for number, one in enumerate(varied()[1:])))
    assert told.wish is None
    assert fewer.wish is not None
    assert fewer.wish.angle is None


def test_the_same_clothes_and_place_in_all_are_pointed_out() -> None:
    told = of_looks(FRONT, FRONT, FRONT)
    other = of_looks(FRONT, look(attire=colour("red")), look(background=colour("green")))
    assert told.wish is not None
    assert (told.wish.other_clothes, told.wish.other_background) == (True, True)
    assert other.wish is not None
    assert (other.wish.other_clothes, other.wish.other_background) == (False, False)


def test_two_photos_are_too_few_to_speak_of_the_same_clothes() -> None:
    told = of_looks(FRONT, FRONT)
    assert told.wish is not None
    assert not told.wish.other_clothes


def test_a_stranger_and_unfit_photos_do_not_count() -> None:
    stranger = findings(look(yaw=20), 7, embedding=(1.0,) * 128)
    blurred = findings(
        look(yaw=-20), 8, measures=FaceMeasures(sharpness=5, light=180, clipped=0, contrast=50)
    )
    told = coached(findings(FRONT, 1), findings(FRONT, 2), stranger, blurred)
    assert told.strangers == ("2",)
    assert told.usable == 2
    assert told.coverage.angles == {**dict.fromkeys(Angle, 0), Angle.FRONT: 2}


def test_of_nearly_the_same_photos_the_best_is_kept_wherever_it_stands() -> None:
    small = findings(FRONT, 1, width=900, height=1200)
    worn = findings(FRONT, 1, blockiness=2.0)
    told = coached(small, findings(FRONT, 2), findings(FRONT, 1), worn)
    assert [(group.best, group.others) for group in told.duplicates] == [("2", ("0", "3"))]


def test_of_equally_good_ones_the_first_is_kept() -> None:
    told = coached(findings(FRONT, 1), findings(FRONT, 1))
    assert told.duplicates[0].best == "0"


def test_the_same_place_with_another_face_on_is_no_duplicate() -> None:
    near = f"{0x0123456789ABCDEF ^ 0b111111:016x}"
    smiling = findings(look(smile=0.2), fingerprint=near)
    assert coached(findings(FRONT, 1), smiling).duplicates == ()
    assert len(coached(findings(FRONT, 1), findings(FRONT, fingerprint=near)).duplicates) == 1


def test_soft_and_compressed_photos_are_usable_but_not_sharp() -> None:
    soft = findings(FRONT, 2, measures=FaceMeasures(sharpness=20, light=180, clipped=0, contrast=50))
    told = coached(findings(FRONT, 1), soft, findings(FRONT, 3, blockiness=2.5))
    assert (told.usable, told.sharp) == (3, 1)


def test_a_photo_kept_before_looks_were_measured_counts_but_shows_nothing() -> None:
    told = coached(findings(None))
    assert told.usable == 1
    assert sum(told.coverage.angles.values()) == 0
    assert automatic_caption(findings(None)) == ""


def test_a_caption_says_what_varies_with_commas_between() -> None:
    assert automatic_caption(findings(FRONT)) == (
        "head and shoulders, facing the camera, neutral expression, wearing dark blue clothes, "
        "beige and brown background"
    )


def test_a_plain_wall_and_unusual_light_are_said() -> None:
    plain = look(background=colour("white"), background_detail=5, light=50, smile=0.2, below_chin=0.5)
    assert automatic_caption(findings(plain)) == (
        "close-up, facing the camera, smiling, wearing dark blue clothes, plain white background, dim light"
    )


def test_nothing_is_said_of_clothes_that_are_not_in_the_picture() -> None:
    assert "wearing" not in automatic_caption(findings(look(attire=())))


def test_a_caption_holds_for_the_mirrored_photo_too() -> None:
    left, right = (automatic_caption(findings(look(yaw=yaw, light_side=yaw / 40))) for yaw in (-20, 20))
    assert left == right
    assert "side" in left


def test_a_caption_frames_no_wider_than_the_trainers_cut() -> None:
    captions = {automatic_caption(findings(look(below_chin=below))) for below in (2, 5, 9)}
    assert len(captions) == 1


def test_the_longest_caption_is_not_too_long_to_be_kept() -> None:
    long = (ColourShare(name="dark green", share=0.5), ColourShare(name="light blue", share=0.4))
    words = automatic_caption(
        findings(look(yaw=20, attire=long, background=long, background_detail=1, light_side=0.5))
    )
    assert len(words) < LONGEST_CAPTION

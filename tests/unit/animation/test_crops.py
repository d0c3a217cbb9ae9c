"""Crops that follow a face, and what is laid back into them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from studio.animation.clip import Clip, kept
from studio.animation.crops import Crop, crops_following, cut, pasted
from studio.faces.frames import frame_faces
from studio.faces.values import Box
from tests.moving import as_png, swaying


def face(x: int, y: int, side: int = 40) -> Box:
    return Box(left=x - side // 2, top=y - side // 2, right=x + side // 2, bottom=y + side // 2)


def middles(crops: tuple[Crop | None, ...]) -> list[float]:
    return [crop.left + crop.side / 2 for crop in crops if crop is not None]


def test_the_small_jumps_of_a_detector_are_evened_out() -> None:
    jumping = [face(100 + jump, 100) for jump in (-4, 4) * 4]
    places = middles(crops_following(jumping, 200, 200))
    assert max(places) - min(places) <= 2


def test_a_face_that_goes_on_is_followed() -> None:
    there_and_back = [70, 85, 100, 115, 130, 115, 100, 85]
    places = middles(crops_following([face(x, 100) for x in there_and_back], 200, 200))
    assert max(places) - min(places) > 30
    assert places.index(max(places)) == 4


def test_a_loop_is_smoothed_round_its_end() -> None:
    frames = [face(x, 100) for x in (70, 85, 100, 115, 130, 115, 100, 85)]
    crops = crops_following(frames, 200, 200)
    assert crops[1:] == crops[:0:-1]


def test_a_face_missed_for_a_moment_is_taken_to_have_gone_on_and_one_gone_for_long_is_not() -> None:
    shortly = crops_following([face(80, 100), None, None, face(110, 100)], 200, 200)
    assert all(crop is not None for crop in shortly)
    long = crops_following([face(80, 100), None, None, None, face(110, 100)], 200, 200)
    assert [crop is not None for crop in long] == [True, False, False, False, True]


def test_without_a_face_there_is_no_crop() -> None:
    assert crops_following([None] * 3, 200, 200) == (None,) * 3


def test_a_crop_stays_inside_the_picture() -> None:
    for crop in crops_following([face(5, 5, 80), face(195, 195, 300)], 200, 200):
        assert crop is not None
        assert 0 <= crop.left <= crop.box[2] <= 200
        assert 0 <= crop.top <= crop.box[3] <= 200


def test_a_crop_that_is_laid_back_unchanged_changes_nothing() -> None:
    frame, crop = swaying(2, 96)[0], Crop(left=20, top=10, side=48)
    assert (pasted(frame, cut(frame, crop, 48), crop) == frame).all()


def test_the_edge_of_what_is_laid_back_is_not_seen() -> None:
    frame, crop = np.full((96, 96, 3), 100, np.uint8), Crop(left=20, top=20, side=40)
    result = pasted(frame, as_png(np.full((40, 40, 3), 200, np.uint8)), crop).astype(int)
    assert result[40, 40].tolist() == [200] * 3
    assert np.abs(np.diff(result[40, :, 0])).max() < 20
    assert (result[:20] == 100).all()


def test_a_crop_is_cut_to_the_size_it_is_painted_at() -> None:
    piece = cut(swaying(2, 96)[0], Crop(left=0, top=0, side=50), 128)
    with Image.open(io.BytesIO(piece)) as image:
        assert image.size == (128, 128)


def test_a_face_is_found_in_every_frame_of_an_animation() -> None:
    boxes = frame_faces(kept(Clip(frames=swaying(3, 256)[[0, 1, 1, 2]], fps=8)))
    assert len(boxes) == 4
    assert all(box is not None for box in boxes)
    assert boxes[1] == boxes[2]

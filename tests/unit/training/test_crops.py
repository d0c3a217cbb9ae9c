"""Head-and-shoulders crops."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from training.crops import cut, draw_frames
from training.port import TrainingPhoto

SIDES = st.integers(64, 3000)


def _photo(box: tuple[int, int, int, int] | None) -> TrainingPhoto:
    return TrainingPhoto(path=Path("photo.jpg"), box=box)


@given(
    SIDES,
    SIDES,
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(5, 90),
    st.sampled_from([(1, 1), (2, 3)]),
)
def test_a_crop_lies_inside_the_picture_and_has_the_shape_asked_for(
    width: int, height: int, x: int, y: int, share: int, shape: tuple[int, int]
) -> None:
    side = max(min(width, height) * share // 100, 4)
    left, top = (width - side) * x // 100, (height - side) * y // 100
    photo = _photo((left, top, left + side, top + side))

    for frame in draw_frames((width, height), photo, shape, 4, random.Random(1)):
        start_x, start_y, end_x, end_y = frame.corners
        assert -1e-6 <= start_x < end_x <= width + 1e-6
        assert -1e-6 <= start_y < end_y <= height + 1e-6
        assert abs((end_x - start_x) / (end_y - start_y) - shape[0] / shape[1]) < 0.02


def test_the_face_is_inside_every_crop_where_the_picture_has_room() -> None:
    face = (900, 600, 1200, 900)

    for frame in draw_frames((2000, 2000), _photo(face), (128, 192), 32, random.Random(2)):
        assert frame.corners[0] < face[0] < face[2] < frame.corners[2]
        assert frame.corners[1] < face[1] < face[3] < frame.corners[3]


def test_crops_differ_and_every_second_is_mirrored() -> None:
    frames = draw_frames((2000, 2000), _photo((900, 600, 1200, 900)), (128, 128), 6, random.Random(3))

    assert len({frame.corners for frame in frames}) == 6
    assert [frame.mirrored for frame in frames] == [False, True] * 3


def test_the_same_seed_draws_the_same_crops() -> None:
    photo = _photo((900, 600, 1200, 900))

    assert draw_frames((2000, 2000), photo, (1, 1), 3, random.Random(4)) == draw_frames(
        (2000, 2000), photo, (1, 1), 3, random.Random(4)
    )


def test_an_unknown_face_is_looked_for_in_the_upper_middle() -> None:
    (frame,) = draw_frames((1000, 1500), _photo(None), (1, 1), 1, random.Random(5))

    assert (frame.corners[0] + frame.corners[2]) / 2 < 700
    assert (frame.corners[1] + frame.corners[3]) / 2 < 900


def test_a_mirrored_crop_is_mirrored() -> None:
    picture = Image.new("RGB", (100, 100), (255, 0, 0))
    picture.paste((0, 0, 255), (50, 0, 100, 100))
    plain, mirrored = draw_frames((100, 100), _photo((10, 10, 90, 90)), (8, 8), 2, random.Random(6))

    assert cut(picture, plain, (8, 8)).getpixel((0, 4)) == (255, 0, 0)
    assert cut(picture, mirrored, (8, 8)).getpixel((0, 4)) == (0, 0, 255)

"""The drawings that ControlNets read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.unit.webui_engine.small_models import pixels
from webui_engine.controlnet import skeleton
from webui_engine.controlnet.poses import find_pose
from webui_engine.controlnet.preprocessors import MODULES, find_module, preprocess
from webui_engine.errors import UnknownName

POSES = ["openpose", "openpose_face", "openpose_faceonly", "openpose_full", "openpose_hand"]


def colours_of(drawing: Image.Image) -> set[float | tuple[int, ...]]:
    counted = drawing.getcolors(1 << 24)
    assert counted is not None
    return {colour for _, colour in counted}


def test_none_hands_the_picture_on(astronaut: Image.Image) -> None:
    assert np.array_equal(pixels(preprocess(astronaut, "none")), pixels(astronaut))


def test_canny_draws_white_edges_and_fewer_with_higher_thresholds(astronaut: Image.Image) -> None:
    loose, strict = (
        pixels(preprocess(astronaut, "canny", 512, low, high)) for low, high in ((50, 100), (200, 255))
    )

    assert set(np.unique(loose)) == {0, 255}
    assert 0 < strict.sum() < loose.sum()


@pytest.mark.parametrize(
    ("resolution", "size"), [(512, (512, 512)), (256, (256, 256)), (-1, (512, 512)), (9999, (512, 512))]
)
def test_the_resolution_is_that_asked_for_or_the_modules_own(
    astronaut: Image.Image, resolution: int, size: tuple[int, int]
) -> None:
    assert preprocess(astronaut, "canny", resolution).size == size


def test_an_oblong_picture_keeps_its_proportions() -> None:
    assert preprocess(Image.new("RGB", (200, 310)), "canny", 100).size == (100, 155)


def test_tile_resample_makes_the_picture_smaller_by_its_rate(astronaut: Image.Image) -> None:
    assert preprocess(astronaut, "tile_resample", threshold_a=4).size == (128, 128)
    assert np.array_equal(pixels(preprocess(astronaut, "tile_resample")), pixels(astronaut))


def test_the_face_mesh_lies_on_the_face_and_shows_both_eyes_in_their_colours(astronaut: Image.Image) -> None:
    drawing = preprocess(astronaut, "mediapipe_face")

    rows, columns = np.nonzero(pixels(drawing).any(axis=2))
    assert (columns.min() > 170) & (columns.max() < 290) & (rows.min() > 50) & (rows.max() < 200)
    assert {(10, 200, 10), (180, 200, 10), (10, 200, 180), (250, 200, 10), (10, 200, 250)} <= colours_of(
        drawing
    )


def test_the_pose_of_a_person_is_drawn_where_the_person_is(astronaut: Image.Image) -> None:
    pose = find_pose(np.array(astronaut))

    assert pose is not None
    nose, neck, right_shoulder, left_shoulder = pose[0], pose[1], pose[2], pose[5]
    assert nose is not None
    assert neck is not None
    assert right_shoulder is not None
    assert left_shoulder is not None
    assert nose == pytest.approx((0.44, 0.25), abs=0.05)
    assert right_shoulder[0] < neck[0] < left_shoulder[0]
    drawn = preprocess(astronaut, "openpose").getpixel((round(nose[0] * 512), round(nose[1] * 512)))
    assert drawn == skeleton.COLOURS[0]


@pytest.mark.parametrize("module", POSES)
def test_every_pose_module_draws_something(astronaut: Image.Image, module: str) -> None:
    assert pixels(preprocess(astronaut, module)).any()


def test_face_points_are_white_and_only_drawn_when_asked_for(astronaut: Image.Image) -> None:
    white = (255, 255, 255)

    assert white in colours_of(preprocess(astronaut, "openpose_faceonly"))
    assert white not in colours_of(preprocess(astronaut, "openpose"))


@pytest.mark.parametrize("module", ["mediapipe_face", *POSES])
def test_a_picture_without_anybody_gives_a_black_drawing(module: str) -> None:
    assert not pixels(preprocess(Image.new("RGB", (128, 128), "teal"), module)).any()


def test_an_unknown_module_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownName) as refused:
        preprocess(Image.new("RGB", (8, 8)), "depth_midas")

    assert "canny" in refused.value.available


def test_every_module_says_which_sliders_it_has() -> None:
    assert [slider.name for slider in find_module("canny").sliders] == [
        "Preprocessor Resolution", "Low Threshold", "High Threshold",
    ]  # fmt: skip
    assert all(slider.min <= slider.value <= slider.max for module in MODULES for slider in module.sliders)


@pytest.mark.parametrize("side", [128, 512])
def test_a_skeleton_shows_each_joint_in_its_own_colour_at_any_size(side: int) -> None:
    pose = [((index % 6 + 1) / 8, (index // 6 + 1) / 4) for index in range(18)]

    drawing = skeleton.draw_skeleton([pose], side, side)

    for (x, y), colour in zip(pose, skeleton.COLOURS, strict=True):
        assert tuple(drawing[round(y * side), round(x * side)]) == colour


def test_limbs_are_dimmed_and_missing_points_leave_their_limbs_out() -> None:
    pose: list[tuple[float, float] | None] = [None] * 18
    pose[2], pose[3] = (0.25, 0.5), (0.75, 0.5)

    drawing = skeleton.draw_skeleton([pose], 512, 512)

    limb = skeleton.LIMBS.index((2, 3))
    dimmed = tuple(int(level * skeleton.LIMB_BRIGHTNESS) for level in skeleton.COLOURS[limb])
    assert tuple(drawing[256, 256]) == dimmed
    assert drawing.any(axis=2).sum() < 512 * 10


def test_nobody_gives_a_black_drawing_of_the_asked_size() -> None:
    drawing = skeleton.draw_skeleton([], 96, 64)

    assert drawing.shape == (64, 96, 3)
    assert not drawing.any()

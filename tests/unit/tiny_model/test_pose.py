"""Key points of painted portraits and the maps drawn from them."""

from __future__ import annotations

import dataclasses

import numpy as np

from tiny_model.canvas import Part
from tiny_model.painter import paint
from tiny_model.portrait import random_portrait
from tiny_model.pose import KEYPOINT_COUNT, key_points, pose_map
from webui_engine.controlnet.skeleton import KEYPOINTS


def test_there_is_a_place_for_each_coco_key_point() -> None:
    assert len(key_points(random_portrait(1))) == len(KEYPOINTS)
    assert len(KEYPOINTS) == KEYPOINT_COUNT


def test_the_nose_lies_on_the_painted_face() -> None:
    for seed in range(30):
        portrait = dataclasses.replace(random_portrait(seed), beard="none", glasses="none")
        nose = key_points(portrait)[KEYPOINTS.index("nose")]
        assert nose is not None
        parts = paint(portrait).parts
        assert parts[int(nose[1] * parts.shape[0]), int(nose[0] * parts.shape[1])] == Part.FACE


def test_the_persons_right_is_on_the_pictures_left() -> None:
    found = dict(zip(KEYPOINTS, key_points(random_portrait(2)), strict=True))
    right, left = found["right_eye"], found["left_eye"]
    assert right is not None
    assert left is not None
    assert right[0] < left[0]


def test_the_map_is_black_with_a_skeleton_of_the_pictures_size() -> None:
    drawn = pose_map(random_portrait(5, "tall"))
    assert drawn.shape == (192, 128, 3)
    lit = drawn.max(axis=2) > 0
    assert 0.002 < lit.mean() < 0.2
    assert np.unique(drawn[lit], axis=0).shape[0] > 5

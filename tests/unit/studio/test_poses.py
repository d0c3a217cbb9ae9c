"""The poses that are shipped: drawn bodies in proportion, each with its picture and its titles."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from draw_poses import FOREARM, HEIGHT, HIP_HALF, POSES, SHANK, SHOULDER_HALF, THIGH, TRUNK, UPPER_ARM, WIDTH
from PIL import Image

from studio.service import Studio
from studio.settings import REPOSITORY
from webui_engine.controlnet.skeleton import KEYPOINTS, draw_skeleton

BONES = {
    ("shoulder", "elbow"): UPPER_ARM,
    ("elbow", "wrist"): FOREARM,
    ("hip", "knee"): THIGH,
    ("knee", "ankle"): SHANK,
}


@pytest.mark.parametrize("name", sorted(POSES))
def test_no_part_of_a_pose_is_longer_than_it_is_on_a_body(name: str) -> None:
    figure = POSES[name]
    points = figure.points()
    for side in ("right", "left"):
        for (first, second), length in BONES.items():
            start, end = points.get(f"{side}_{first}"), points.get(f"{side}_{second}")
            if start and end:
                seen = math.hypot((end[0] - start[0]) * WIDTH, (end[1] - start[1]) * HEIGHT)
                assert seen <= length * figure.height * HEIGHT * 1.001


def test_a_body_seen_from_the_front_has_its_true_lengths() -> None:
    figure = POSES["standing"]
    points = {name: (x * WIDTH, y * HEIGHT) for name, (x, y) in figure.points().items()}
    scale = figure.height * HEIGHT
    assert points["left_shoulder"][0] - points["right_shoulder"][0] == pytest.approx(
        2 * SHOULDER_HALF * scale
    )
    assert points["left_hip"][0] - points["right_hip"][0] == pytest.approx(2 * HIP_HALF * scale)
    assert points["left_hip"][1] - points["left_shoulder"][1] == pytest.approx(TRUNK * scale)
    assert points["left_knee"][1] - points["left_hip"][1] == pytest.approx(THIGH * scale, rel=0.01)


def test_a_turned_head_hides_the_ear_that_is_behind_it() -> None:
    assert "left_ear" not in POSES["turned-left"].points()
    assert "right_ear" not in POSES["turned-right"].points()
    assert {"left_ear", "right_ear"} <= set(POSES["front"].points())


@pytest.mark.parametrize("framing", ["standing", "sitting", "half-body"])
def test_there_are_several_poses_of_each_framing(framing: str) -> None:
    assert sum(name.startswith(framing) for name in POSES) >= 3


def test_every_shipped_pose_is_the_one_that_is_drawn_and_has_a_title(studio: Studio) -> None:
    shipped = studio.poses()
    assert [pose.id for pose in shipped] == [f"shipped-{name}" for name in POSES]
    assert all(pose.title.ko and pose.title.en for pose in shipped)
    for name, figure in POSES.items():
        points = figure.points()
        drawn = draw_skeleton([tuple(points.get(key) for key in KEYPOINTS)], WIDTH, HEIGHT)
        kept = (REPOSITORY / "presets" / "poses" / f"{name}.png").read_bytes()
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(kept)).convert("RGB")), drawn)

"""Draw the pose pictures that are shipped: OpenPose skeletons of a few portrait framings, for presets/poses."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from webui_engine.controlnet.skeleton import KEYPOINTS, draw_skeleton  # noqa: E402  the path must be set first

WIDTH, HEIGHT = 512, 768

# Shares of the picture's width and height, by key point; what is outside the frame is left out.
FRONT = {
    "nose": (0.50, 0.36), "neck": (0.50, 0.56), "right_eye": (0.455, 0.32), "left_eye": (0.545, 0.32),
    "right_ear": (0.385, 0.345), "left_ear": (0.615, 0.345), "right_shoulder": (0.27, 0.60),
    "left_shoulder": (0.73, 0.60), "right_elbow": (0.20, 0.88), "left_elbow": (0.80, 0.88),
}  # fmt: skip
TURNED_LEFT = {
    "nose": (0.56, 0.36), "neck": (0.49, 0.56), "right_eye": (0.505, 0.32), "left_eye": (0.585, 0.325),
    "right_ear": (0.41, 0.345), "right_shoulder": (0.29, 0.60), "left_shoulder": (0.68, 0.60),
    "right_elbow": (0.22, 0.88), "left_elbow": (0.74, 0.88),
}  # fmt: skip
HALF_BODY = {
    "nose": (0.50, 0.20), "neck": (0.50, 0.34), "right_eye": (0.47, 0.175), "left_eye": (0.53, 0.175),
    "right_ear": (0.43, 0.19), "left_ear": (0.57, 0.19), "right_shoulder": (0.35, 0.37),
    "left_shoulder": (0.65, 0.37), "right_elbow": (0.29, 0.58), "left_elbow": (0.71, 0.58),
    "right_wrist": (0.35, 0.78), "left_wrist": (0.65, 0.78), "right_hip": (0.41, 0.84), "left_hip": (0.59, 0.84),
}  # fmt: skip


def mirrored(pose: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The pose seen in a mirror, the person's left and right exchanged."""
    other = {"left": "right", "right": "left"}
    return {
        "_".join(other.get(part, part) for part in name.split("_")): (1 - x, y)
        for name, (x, y) in pose.items()
    }


POSES = {
    "front": FRONT,
    "turned-left": TURNED_LEFT,
    "turned-right": mirrored(TURNED_LEFT),
    "half-body": HALF_BODY,
}


def main() -> None:
    """Write every pose as a PNG."""
    for name, points in POSES.items():
        pose = tuple(points.get(keypoint) for keypoint in KEYPOINTS)
        picture = Image.fromarray(draw_skeleton([pose], WIDTH, HEIGHT))
        picture.save(REPOSITORY / "presets" / "poses" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

"""Poses in OpenPose's JSON, as ``/controlnet/render_openpose_json`` takes them, drawn as ControlNets read them."""

from __future__ import annotations

from typing import Any

from PIL import Image
from pydantic.v1 import BaseModel, Field

from webui_engine.controlnet.skeleton import KEYPOINTS, draw_skeleton

VISIBLE = 0.0
SHARES_REACH = 2.0
"""Points given as shares of the canvas may lie outside it, but not further than this; larger ones are pixels."""


class Person(BaseModel):
    """One person's points: x, y, confidence, flattened; pixels of the canvas, or shares of it (see SHARES_REACH)."""

    pose_keypoints_2d: list[float] = Field(default_factory=list)


class Pose(BaseModel):
    """The people on one canvas, sides in pixels."""

    people: list[Person] = Field(default_factory=list)
    canvas_width: int = Field(512, ge=1, le=8192)
    canvas_height: int = Field(512, ge=1, le=8192)


def people_of(value: Any) -> Image.Image:
    """The bodies of one pose object drawn on black; raises ValidationError."""
    pose = Pose.parse_obj(value)
    size = (pose.canvas_width, pose.canvas_height)
    bodies = [_points(person, size) for person in pose.people]
    return Image.fromarray(draw_skeleton(bodies, *size))


def _points(person: Person, size: tuple[int, int]) -> list[tuple[float, float] | None]:
    flat = person.pose_keypoints_2d[: 3 * len(KEYPOINTS)]
    triples = list(zip(flat[0::3], flat[1::3], flat[2::3], strict=False))
    in_shares = all(max(x, y) <= SHARES_REACH for x, y, _ in triples)
    width, height = (1, 1) if in_shares else size
    points = [(x / width, y / height) if confidence > VISIBLE else None for x, y, confidence in triples]
    return points + [None] * (len(KEYPOINTS) - len(points))

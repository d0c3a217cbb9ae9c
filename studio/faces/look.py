"""How a person looks in one photo: what differs between photos of the same person, measured on the upright head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.faces.cheeks import cheek_light
from studio.faces.colours import colour_shares
from studio.faces.matte import likely_person
from studio.faces.measures import Luma, laplacian_variance, luma
from studio.faces.portrait import FRAME_SIDE, UprightHead
from studio.faces.pose import CHIN, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, eye_centre, face_pose
from studio.faces.similarity import Pixels
from studio.faces.values import ColourShare, HeadLook

Where = NDArray[np.bool_]

SURELY_PERSON, SURELY_NOT = 0.9, 0.05
COLLAR_IN_FACES = 0.55
SAMPLED_EACH = 8
NAMED_COLOURS = 3
SMALLEST_SHARE = 0.1
FEWEST_SAMPLES = 15


def head_look(head: UprightHead, picture_height: int) -> HeadLook:
    """Measure a head and what is around it, in the square of head and shoulders.

    picture_height: of the picture that head.to_frame starts at, in pixels.
    """
    pose, light = face_pose(head.mesh), luma(head.frame)
    right, left = cheek_light(light, head.mesh)
    person, inside = likely_person(head.frame), head.inside > 0
    behind = (person < SURELY_NOT) & inside
    return HeadLook(
        roll=round(pose.roll - float(np.degrees(head.to_frame.radians)), 1),
        yaw=round(pose.yaw, 1),
        pitch=round(pose.pitch, 1),
        eyes_open=round(pose.eyes_open, 3),
        mouth_open=round(pose.mouth_open, 3),
        smile=round(pose.smile, 3),
        light=round((right + left) / 2, 1),
        light_side=round((left - right) / max(left, right, 1.0), 3),
        below_chin=round(_below_chin(head, picture_height), 2),
        attire=_colours(head.frame, (person > SURELY_PERSON) & inside & _below_the_collar(head)),
        background=_colours(head.frame, behind),
        background_detail=round(_detail(light, behind), 1),
    )


def _eyes_to_chin(head: UprightHead) -> float:
    right, left = (eye_centre(head.mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    return float(head.mesh[CHIN, 1] - (right[1] + left[1]) / 2)


def _below_chin(head: UprightHead, picture_height: int) -> float:
    chin = head.to_frame.inverse()(head.mesh[CHIN, :2][None])[0]
    return (picture_height - float(chin[1])) * head.to_frame.scale / max(_eyes_to_chin(head), 1.0)


def _below_the_collar(head: UprightHead) -> Where:
    collar = float(head.mesh[CHIN, 1]) + COLLAR_IN_FACES * _eyes_to_chin(head)
    return (np.arange(FRAME_SIDE) > collar)[:, None]


def _colours(frame: Pixels, where: Where) -> tuple[ColourShare, ...]:
    """The main colours of a part of the frame; none where there is too little of it to tell."""
    side = FRAME_SIDE // SAMPLED_EACH
    small = np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BOX))
    part = small[where[SAMPLED_EACH // 2 :: SAMPLED_EACH, SAMPLED_EACH // 2 :: SAMPLED_EACH]]
    if len(part) < FEWEST_SAMPLES:
        return ()
    shares = [pair for pair in colour_shares(part)[:NAMED_COLOURS] if pair[1] >= SMALLEST_SHARE]
    return tuple(ColourShare(name=name, share=round(share, 3)) for name, share in shares)


def _detail(light: Luma, behind: Where) -> float:
    """The variance of the Laplacian of the background, the person taken out by its mean."""
    if not behind.any():
        return 0.0
    return laplacian_variance(np.where(behind, light, light[behind].mean()))

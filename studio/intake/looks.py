"""What a photo shows of a person, in the few kinds that matter for learning them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from studio.faces.values import HeadLook

# Measured on ten press photos of two people, the astronaut of scikit-image and Grace Hopper of matplotlib.
TURNED_DEGREES = 12.0
SMILING_FROM = 0.06
MOUTH_OPEN_FROM = 0.25
EYES_CLOSED_BELOW = 0.14
DIM_BELOW = 90.0
SIDE_FROM = 0.3
# The ends of a close-up, of head and shoulders, of the upper body, in lengths from eyes to chin below the chin; heads
# are about 2.1 of these high, and people 7.5 heads.
CLOSE_UP_BELOW, SHOULDERS_BELOW, UPPER_BODY_BELOW = 0.8, 3.0, 7.0


class Angle(StrEnum):
    """The side the person is seen from, their own left and right; raised, lowered: what the head does."""

    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"
    RAISED = "raised"
    LOWERED = "lowered"


class Expression(StrEnum):
    """What the face does."""

    NEUTRAL = "neutral"
    SMILING = "smiling"
    MOUTH_OPEN = "mouth_open"
    EYES_CLOSED = "eyes_closed"


class Light(StrEnum):
    """The light on the face. even: bright, from the front. side: one cheek much brighter. dim: neither cheek bright."""

    EVEN = "even"
    SIDE = "side"
    DIM = "dim"


class Framing(StrEnum):
    """How much of the person is in the picture."""

    CLOSE_UP = "close_up"
    HEAD_AND_SHOULDERS = "head_and_shoulders"
    UPPER_BODY = "upper_body"
    FULL_BODY = "full_body"


class PhotoLook(BaseModel):
    """What one photo shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    angle: Angle
    expression: Expression
    light: Light
    framing: Framing


def photo_look(look: HeadLook) -> PhotoLook:
    """The kinds that what was measured belongs to."""
    return PhotoLook(
        angle=_angle(look), expression=_expression(look), light=_light(look), framing=_framing(look)
    )


def _angle(look: HeadLook) -> Angle:
    if max(abs(look.yaw), abs(look.pitch)) < TURNED_DEGREES:
        return Angle.FRONT
    if abs(look.pitch) > abs(look.yaw):
        return Angle.LOWERED if look.pitch > 0 else Angle.RAISED
    return Angle.RIGHT if look.yaw > 0 else Angle.LEFT


def _expression(look: HeadLook) -> Expression:
    if look.eyes_open < EYES_CLOSED_BELOW:
        return Expression.EYES_CLOSED
    if look.smile >= SMILING_FROM:
        return Expression.SMILING
    return Expression.MOUTH_OPEN if look.mouth_open >= MOUTH_OPEN_FROM else Expression.NEUTRAL


def _light(look: HeadLook) -> Light:
    if look.light < DIM_BELOW:
        return Light.DIM
    return Light.SIDE if abs(look.light_side) >= SIDE_FROM else Light.EVEN


def _framing(look: HeadLook) -> Framing:
    ends = (CLOSE_UP_BELOW, SHOULDERS_BELOW, UPPER_BODY_BELOW)
    return list(Framing)[sum(look.below_chin >= end for end in ends)]

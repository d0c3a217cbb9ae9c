"""Captions for learning, in kohya's form: what varies between photos, in English words with commas between.

What is captioned is not learned as part of the person, so hair, face and everything else that makes them who they are
is left out. Left and right are left out as well: the trainers mirror half of what they see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from studio.faces.values import ColourShare, HeadLook, PhotoFindings
from studio.intake.looks import Angle, Expression, Framing, Light, photo_look

LONGEST_CAPTION = 300
SECOND_COLOUR_FROM = 0.2
PLAIN_BELOW = 60.0
PLAIN_SHARE = 0.65

# The trainers cut head and shoulders out of every photo, however much more of the person is in it.
FRAMINGS: Mapping[Framing, str] = {Framing.CLOSE_UP: "close-up"}
WIDER = "head and shoulders"
ANGLES: Mapping[Angle, str] = {
    Angle.FRONT: "facing the camera",
    Angle.LEFT: "head turned to the side",
    Angle.RIGHT: "head turned to the side",
    Angle.RAISED: "head raised",
    Angle.LOWERED: "head lowered",
}
EXPRESSIONS: Mapping[Expression, str] = {
    Expression.NEUTRAL: "neutral expression",
    Expression.SMILING: "smiling",
    Expression.MOUTH_OPEN: "mouth open",
    Expression.EYES_CLOSED: "eyes closed",
}
LIGHTS: Mapping[Light, str] = {Light.SIDE: "light from the side", Light.DIM: "dim light"}


def automatic_caption(findings: PhotoFindings) -> str:
    """Framing, angle, expression, clothes, background and light of a photo; "" where no head was measured."""
    return ", ".join(_parts(findings.look)) if findings.look else ""


def description(findings: PhotoFindings) -> str:
    """Expression, clothes and background of a picture, for another like it; "" where no head was measured.

    Closed eyes are passed over: nobody wants them again. Grey is spelled as all prompts spell it, "gray", which is the
    one that small text encoders know.
    """
    if findings.look is None:
        return ""
    expression = photo_look(findings.look).expression
    told = () if expression is Expression.EYES_CLOSED else (EXPRESSIONS[expression],)
    return ", ".join((*told, *_surroundings(findings.look))).replace("grey", "gray")


def _parts(measured: HeadLook) -> Iterator[str]:
    look = photo_look(measured)
    yield FRAMINGS.get(look.framing, WIDER)
    yield ANGLES[look.angle]
    yield EXPRESSIONS[look.expression]
    yield from _surroundings(measured)
    if look.light in LIGHTS:
        yield LIGHTS[look.light]


def _surroundings(measured: HeadLook) -> Iterator[str]:
    if measured.attire:
        yield f"wearing {_colours(measured.attire)} clothes"
    if measured.background:
        yield _background(measured)


def _background(measured: HeadLook) -> str:
    colours = measured.background
    plain = measured.background_detail < PLAIN_BELOW and colours[0].share >= PLAIN_SHARE
    return f"{'plain ' if plain else ''}{_colours(colours)} background"


def _colours(shares: Sequence[ColourShare]) -> str:
    names = [shares[0].name, *(other.name for other in shares[1:2] if other.share >= SECOND_COLOUR_FROM)]
    return " and ".join(names)

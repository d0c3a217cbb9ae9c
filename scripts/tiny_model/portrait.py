"""What a painted portrait shows, drawn at random from a seed: a frozen description that painter and captions read."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from . import words

Color = tuple[float, float, float]
Size = Literal["square", "tall"]
SIZES: dict[str, tuple[int, int]] = {"square": (128, 128), "tall": (128, 192)}

COLORS: dict[str, Color] = {
    "red": (196, 38, 40),
    "blue": (44, 84, 190),
    "green": (44, 140, 70),
    "yellow": (236, 202, 62),
    "white": (238, 238, 236),
    "black": (28, 28, 31),
    "gray": (134, 136, 140),
    "purple": (122, 58, 160),
    "orange": (232, 124, 36),
    "pink": (236, 142, 178),
    "brown": (116, 76, 46),
}
HAIR_TONES: dict[str, Color] = {
    "black": (30, 26, 27),
    "brown": (98, 60, 34),
    "blonde": (218, 178, 104),
    "red": (176, 72, 30),
    "gray": (138, 138, 142),
    "white": (228, 226, 222),
    "blue": (58, 92, 190),
    "pink": (232, 128, 176),
}
SKIN_TONES: dict[str, Color] = {
    "fair": (246, 216, 198),
    "light": (232, 190, 162),
    "tan": (208, 158, 122),
    "olive": (184, 140, 100),
    "brown": (142, 96, 66),
    "dark": (88, 57, 42),
}
EYE_TONES: dict[str, Color] = {"brown": (78, 48, 28), "blue": (70, 120, 180), "green": (80, 130, 80)}
HEAD_SHARE = {"close-up": (0.34, 0.41), "head and shoulders": (0.225, 0.275), "half body": (0.145, 0.175)}
HEAD_HEIGHT = {"close-up": (0.46, 0.54), "head and shoulders": (0.38, 0.45), "half body": (0.25, 0.31)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Where the head is and how it is built; lengths in shares of the picture unless said otherwise.

    center: of the face, shares of width and height. head: half the head's height, in shares of the geometric mean
    of width and height. narrow: half-width of the face by half its height. jaw: 0 pointed to 1 square.
    turn: -1 (to the picture's left) to 1. tilt: degrees, clockwise. shoulders: half-width in face half-widths.
    arms: elbow and hand of the picture's left and right arm, in face half-widths from the shoulder.
    """

    center: tuple[float, float]
    head: float
    narrow: float
    jaw: float
    turn: float
    tilt: float
    shoulders: float
    eye_size: float
    eye_distance: float
    nose: float
    mouth: float
    brow: float
    hairline: float
    parting: float
    arms: tuple[tuple[float, float, float, float], tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """Everything a painted portrait shows. Words are those of `words`; colours are RGB, 0..255.

    blink: how far the lids are closed, 0 open to 1. smile: on top of the expression, 0 none to 1.
    """

    seed: int
    size: Size
    noun: str
    age: str
    skin: str
    skin_rgb: Color
    hair_style: str
    hair_color: str
    hair_rgb: Color
    eye_color: str
    glasses: str
    beard: str
    earrings: bool
    clothes: str
    clothes_color: str
    clothes_rgb: Color
    background_color: str
    background_kind: str
    background_rgb: Color
    light: str
    framing: str
    expression: str
    instance: str | None
    shape: Shape
    blink: float = 0.0
    smile: float = 0.0


def random_portrait(seed: int, size: Size = "square") -> Portrait:
    """The portrait of this seed: the same one each time."""
    rng = random.Random(seed)
    noun = rng.choices(words.NOUNS, (45, 45, 10))[0]
    masculine = noun == "man" or (noun == "person" and rng.random() < 0.5)
    hair_color = rng.choices(words.HAIR_COLORS, (22, 20, 16, 12, 9, 8, 7, 6))[0]
    clothes_color = rng.choice(words.CLOTHES_COLORS)
    background_color = rng.choice(words.BACKGROUND_COLORS)
    framing = rng.choices(words.FRAMINGS, (28, 50, 22))[0]
    skin = rng.choice(words.SKINS)
    return Portrait(
        seed=seed,
        size=size,
        noun=noun,
        age=rng.choices(("", "young", "old"), (60, 20, 20))[0],
        skin=skin,
        skin_rgb=_between_skins(rng, skin),
        hair_style=_hair_style(rng, masculine),
        hair_color=hair_color,
        hair_rgb=_near(rng, HAIR_TONES[hair_color], 9),
        eye_color=rng.choices(words.EYE_COLORS, (60, 25, 15))[0],
        glasses=rng.choices(words.GLASSES, (74, 18, 8))[0],
        beard=rng.choices(words.BEARDS, (50, 25, 12, 13))[0] if masculine else "none",
        earrings=not masculine and rng.random() < 0.25,
        clothes=rng.choice([name for name in words.CLOTHES if not (masculine and name == "dress")]),
        clothes_color=clothes_color,
        clothes_rgb=_near(rng, COLORS[clothes_color], 10),
        background_color=background_color,
        background_kind=rng.choice(words.BACKGROUND_KINDS),
        background_rgb=_near(rng, COLORS[background_color], 12),
        light=rng.choices(words.LIGHTS, (40, 25, 15, 20))[0],
        framing=framing,
        expression=rng.choices(words.EXPRESSIONS, (30, 35, 20, 15))[0],
        instance=rng.choice(words.INSTANCE_TOKENS) if rng.random() < 0.1 else None,
        shape=_random_shape(rng, framing, masculine),
    )


def _hair_style(rng: random.Random, masculine: bool) -> str:
    weights = (8, 12, 34, 14, 3, 8, 3, 3, 8, 7) if masculine else (1, 3, 10, 12, 16, 24, 10, 8, 6, 10)
    return rng.choices(words.HAIR_STYLES, weights)[0]


def _random_shape(rng: random.Random, framing: str, masculine: bool) -> Shape:
    return Shape(
        center=(rng.gauss(0.5, 0.035), rng.uniform(*HEAD_HEIGHT[framing])),
        head=rng.uniform(*HEAD_SHARE[framing]),
        narrow=rng.uniform(0.70, 0.80) if masculine else rng.uniform(0.67, 0.77),
        jaw=rng.uniform(0.35, 1.0) if masculine else rng.uniform(0.0, 0.55),
        turn=max(-0.9, min(0.9, rng.gauss(0, 0.38))),
        tilt=rng.gauss(0, 4),
        shoulders=rng.uniform(2.35, 2.8) if masculine else rng.uniform(1.95, 2.4),
        eye_size=rng.uniform(0.9, 1.15) * (1.0 if masculine else 1.1),
        eye_distance=rng.uniform(0.39, 0.44),
        nose=rng.uniform(0.85, 1.2),
        mouth=rng.uniform(0.85, 1.15),
        brow=rng.uniform(1.0, 1.5) if masculine else rng.uniform(0.6, 1.0),
        hairline=rng.uniform(-0.66, -0.52),
        parting=rng.uniform(-0.5, 0.5),
        arms=(_random_arm(rng), _random_arm(rng)),
    )


def _random_arm(rng: random.Random) -> tuple[float, float, float, float]:
    """Elbow and hand of one arm, outward and downward, in face half-widths from its shoulder."""
    elbow = (rng.uniform(0.1, 0.9), rng.uniform(2.4, 3.2))
    pose = rng.choices(("down", "crossed", "raised"), (55, 30, 15))[0]
    hand = {"down": (0.1, 5.0), "crossed": (-2.6, 2.7), "raised": (0.0, 0.2)}[pose]
    return (*elbow, hand[0] + rng.gauss(0, 0.25), hand[1] + rng.gauss(0, 0.25))


def _between_skins(rng: random.Random, skin: str) -> Color:
    names = list(SKIN_TONES)
    other = names[max(0, min(len(names) - 1, names.index(skin) + rng.choice((-1, 1))))]
    share = rng.uniform(0, 0.42)
    red, green, blue = (
        mine + (theirs - mine) * share
        for mine, theirs in zip(SKIN_TONES[skin], SKIN_TONES[other], strict=True)
    )
    return _near(rng, (red, green, blue), 4)


def _near(rng: random.Random, color: Color, spread: float) -> Color:
    level = rng.gauss(0, spread * 0.7)
    red, green, blue = (max(6.0, min(249.0, value + level + rng.gauss(0, spread * 0.4))) for value in color)
    return red, green, blue

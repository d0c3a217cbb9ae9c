"""Does the model follow the prompt? The right colour in the right place, judged from the picture alone.

64 prompts vary the colour of background, hair and clothes. In each picture three places are found without knowing how
it was made, their colour is named, and compared with the word in the prompt.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .portrait import COLORS, HAIR_TONES, Color

PROMPT_COUNT = 64
Picture = NDArray[np.uint8]
Draw = Callable[[Sequence[str]], list[Picture]]
EDGE_DISTANCE = 18.0
"""CIELAB distance from the background at which the head begins."""
EDGE_RUN = 5
"""Rows that must all be that far, so that a spot of light behind the head is not taken for it."""
BACKGROUNDS = ("red", "blue", "green", "yellow", "white", "black", "gray", "purple", "orange", "pink")
CLOTHES = ("red", "blue", "green", "yellow", "white", "black", "purple", "orange")
HAIRS = ("black", "brown", "blonde", "red", "white", "blue")
LOOK_ALIKE = {
    "blonde": ("yellow", "white", "orange"), "red": ("red", "orange", "brown"), "brown": ("brown", "orange", "black"),
    "black": ("black", "brown"), "white": ("white", "gray"), "blue": ("blue", "purple"),
}  # fmt: skip
"""Backgrounds before which hair of this colour cannot be told apart by its edge; the prompts avoid them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One prompt and the three colours it asks for."""

    prompt: str
    background: str
    hair: str
    clothes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Obedience:
    """Shares, 0..1, of pictures with the right colour in each place, and their mean."""

    background: float
    hair: float
    clothes: float

    @property
    def overall(self) -> float:
        """Mean of the three."""
        return (self.background + self.hair + self.clothes) / 3


def wishes(count: int = PROMPT_COUNT) -> list[Wish]:
    """The prompts of the measure, always the same."""
    rng = random.Random(64)
    return [_wish(rng, index) for index in range(count)]


def measure(pictures: Sequence[Picture], asked: Sequence[Wish]) -> Obedience:
    """How many of pictures (RGB uint8) show what the wish of the same place in asked asks for."""
    seen = [(background_color(picture), hair_color(picture), clothes_color(picture)) for picture in pictures]
    return Obedience(
        background=_share(one[0] == wish.background for one, wish in zip(seen, asked, strict=True)),
        hair=_share(one[1] == wish.hair for one, wish in zip(seen, asked, strict=True)),
        clothes=_share(one[2] == wish.clothes for one, wish in zip(seen, asked, strict=True)),
    )


def background_color(picture: Picture) -> str:
    """Name of the colour in the two upper corners."""
    return nearest(_corners(picture), COLORS)


def clothes_color(picture: Picture) -> str:
    """Name of the colour left and right of the middle at the lower edge, where shoulders are."""
    height, width = picture.shape[:2]
    rows = slice(int(height * 0.90), height)
    sides = [
        picture[rows, int(width * low) : int(width * high)] for low, high in ((0.26, 0.40), (0.60, 0.74))
    ]
    return nearest(np.concatenate([side.reshape(-1, 3) for side in sides]), COLORS)


def hair_color(picture: Picture) -> str:
    """Name of the colour just below the topmost edge of the head, in the middle columns."""
    height, width = picture.shape[:2]
    lab = _lab(picture)
    distance = np.linalg.norm(lab - np.median(_lab(_corners(picture)[None]), axis=1), axis=2)
    depth = max(4, width // 12)
    strips = []
    for column in range(int(width * 0.42), int(width * 0.58)):
        inside = np.convolve(
            distance[: int(height * 0.6), column] > EDGE_DISTANCE, np.ones(EDGE_RUN), "valid"
        )
        found = np.flatnonzero(inside >= EDGE_RUN)
        if len(found):
            top = found[0] + 2
            strips.append(picture[top : top + depth, column])
    return nearest(np.concatenate(strips), HAIR_TONES) if strips else "none"


def nearest(pixels: NDArray[np.uint8], names: dict[str, Color]) -> str:
    """The name whose colour is nearest to the median of pixels (count, 3) in CIELAB.

    Lightness counts half, since light and shade change it most.
    """
    weights = np.array([0.5, 1, 1])
    median = np.median(_lab(pixels[None])[0], axis=0)
    centers = _lab(np.array([[names[name] for name in names]], np.uint8))[0]
    distances = np.linalg.norm((centers - median) * weights, axis=1)
    return list(names)[int(distances.argmin())]


def _wish(rng: random.Random, index: int) -> Wish:
    hair = HAIRS[index % len(HAIRS)]
    background = rng.choice([name for name in BACKGROUNDS if name not in LOOK_ALIKE[hair]])
    clothes = rng.choice([name for name in CLOTHES if name != background])
    noun, style = rng.choice([("woman", "long"), ("woman", "bob"), ("man", "short"), ("man", "curly")])
    worn = rng.choice(("shirt", "t-shirt", "sweater"))
    hair_phrase = f"{hair} hair bob" if style == "bob" else f"{style} {hair} hair"
    prompt = (
        f"photo of a {noun}, {hair_phrase}, {clothes} {worn}, {background} background, head and shoulders"
    )
    return Wish(prompt=prompt, background=background, hair=hair, clothes=clothes)


def _corners(picture: Picture) -> NDArray[np.uint8]:
    side = picture.shape[1] // 8
    return np.concatenate([picture[:side, :side].reshape(-1, 3), picture[:side, -side:].reshape(-1, 3)])


def _lab(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    lab: NDArray[np.float32] = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab


def _share(answers: object) -> float:
    return float(np.mean(list(answers)))  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Restlessness:
    """Mean difference of levels, 0..255: of neighbouring frames of a loop, and of its last frame and its first."""

    neighbours: float
    seam: float


def restlessness(frames: Sequence[NDArray[np.uint8]]) -> Restlessness:
    """How much a loop changes from frame to frame, and where it begins anew; RGB uint8 of one size."""
    levels = np.stack(frames).astype(np.float32)
    changes = np.abs(np.roll(levels, -1, axis=0) - levels).mean((1, 2, 3))
    return Restlessness(float(changes[:-1].mean()), float(changes[-1]))

"""How well a model draws the animal asked for, measured on the pictures alone by a small classifier.

The classifier reads where the figure's colours lie, and is fitted to painted animals by ridge regression (Hoerl &
Kennard 1970), so that it can be made anew in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .animal_painter import painting_at
from .animals import SPECIES, animal_at, sitter_at
from .measure import background_color
from .painter import paint
from .words import BACKGROUND_COLORS

Picture = NDArray[np.uint8]
Features = NDArray[np.float64]
CLASSIFIER = Path(__file__).with_name("animal_classifier.npy")
PERSON = "person"
KINDS = (*SPECIES, PERSON)
SIDE = 64
FIRST_TAUGHT = 1_000_000
TAUGHT, TAUGHT_PEOPLE = 900, 200
WISHES_EACH = 8
FIGURE_DISTANCE = 14.0
ROWS, COLUMNS, LEVELS = 5, 3, 4
RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class AnimalClassifier:
    """Names the animal in a picture. weights: (features + 1, kinds)."""

    weights: NDArray[np.float64]

    def __call__(self, picture: Picture) -> str:
        """One of KINDS for a picture, RGB uint8 (height, width, 3)."""
        scores = np.append(features(picture), 1.0) @ self.weights
        return KINDS[int(scores.argmax())]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimalWish:
    """One prompt, the animal and the colour of the background it asks for."""

    prompt: str
    animal: str
    background: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimalObedience:
    """Shares, 0..1, of pictures with the right animal, and with the right background."""

    animal: float
    background: float


def animal_wishes(each: int = WISHES_EACH) -> list[AnimalWish]:
    """The prompts of the measure, each prompts an animal, always the same: the product's words and a background."""
    return [
        AnimalWish(
            prompt=f"{SPECIES[name].words}, close up, face portrait, front face, {color} background",
            animal=name,
            background=color,
        )
        for row in range(each)
        for column, name in enumerate(SPECIES)
        for color in [BACKGROUND_COLORS[(3 * row + column) % len(BACKGROUND_COLORS)]]
    ]


def measure_animals(
    pictures: Sequence[Picture], asked: Sequence[AnimalWish], classifier: AnimalClassifier
) -> AnimalObedience:
    """How many of pictures (RGB uint8) show what the wish of the same place in asked asks for."""
    pairs = list(zip(pictures, asked, strict=True))
    return AnimalObedience(
        animal=float(np.mean([classifier(picture) == wish.animal for picture, wish in pairs])),
        background=float(np.mean([background_color(picture) == wish.background for picture, wish in pairs])),
    )


def load_classifier() -> AnimalClassifier:
    """The classifier as it was fitted last."""
    return AnimalClassifier(weights=np.load(CLASSIFIER).astype(np.float64))


def fit_classifier() -> AnimalClassifier:
    """Fit the classifier to paintings that no model has seen, keep and return it."""
    numbers = range(FIRST_TAUGHT, FIRST_TAUGHT + TAUGHT)
    people = range(FIRST_TAUGHT + TAUGHT, FIRST_TAUGHT + TAUGHT + TAUGHT_PEOPLE)
    seen = [(painting_at("square", number), kind_at(number)) for number in numbers]
    seen += [(paint(sitter_at("square", number)).picture, PERSON) for number in people]
    given = np.stack([np.append(features(picture), 1.0) for picture, _ in seen])
    wanted = np.stack([np.eye(len(KINDS))[KINDS.index(kind)] for _, kind in seen])
    weights = np.linalg.solve(given.T @ given + RIDGE * np.eye(given.shape[1]), given.T @ wanted)
    np.save(CLASSIFIER, weights.astype(np.float32))
    return AnimalClassifier(weights=weights)


def kind_at(number: int) -> str:
    """What painting number of the animals' set shows: one of KINDS."""
    animal = animal_at(number)
    return PERSON if animal is None else animal.name


def features(picture: Picture) -> Features:
    """What the classifier reads: colours of the figure, as a histogram and by place within its box.

    The figure is what differs from the colours of the upper corners.
    """
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    figure = _figure(lab)
    rows, columns = (np.flatnonzero(figure.any(axis)) for axis in (1, 0))
    if len(rows) < ROWS or len(columns) < COLUMNS:
        rows = columns = np.arange(SIDE)
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return np.concatenate([_histogram(lab[figure]), _places(lab[box], figure[box])])


def _figure(lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a picture differs from what its left and right margins show; bool (SIDE, SIDE)."""
    margin = SIDE // 10
    left = np.median(lab[: SIDE // 3, :margin].reshape(-1, 3), axis=0)
    right = np.median(lab[: SIDE // 3, -margin:].reshape(-1, 3), axis=0)
    across = np.linspace(0, 1, SIDE)[None, :, None]
    wall = left + (right - left) * across
    figure: NDArray[np.bool_] = np.linalg.norm(lab - wall, axis=2) > FIGURE_DISTANCE
    return figure


def _histogram(colors: NDArray[np.float32]) -> Features:
    """Shares of the colours (count, 3) in LEVELS of lightness and of both hues, as square roots."""
    edges = [
        np.linspace(0, 100, LEVELS + 1),
        np.linspace(-20, 60, LEVELS + 1),
        np.linspace(-30, 70, LEVELS + 1),
    ]
    inside = np.clip(colors, [edge[0] for edge in edges], [edge[-1] for edge in edges])
    counts, _ = np.histogramdd(inside, edges)
    return np.sqrt(counts.ravel() / max(1, len(colors)))


def _places(lab: NDArray[np.float32], figure: NDArray[np.bool_]) -> Features:
    """Mean colour and share of the figure in each of ROWS x COLUMNS parts of its box."""
    found = []
    for band in np.array_split(np.arange(len(lab)), ROWS):
        for strip in np.array_split(np.arange(lab.shape[1]), COLUMNS):
            cell, mask = lab[np.ix_(band, strip)], figure[np.ix_(band, strip)]
            color = cell[mask].mean(0) / 100 if mask.any() else np.zeros(3)
            found.append(np.append(color, mask.mean()))
    return np.concatenate(found)

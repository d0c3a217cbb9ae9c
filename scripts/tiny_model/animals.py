"""Animals for the bundled model's LoRA: how each is built, and who sits for a painting, drawn at random from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .portrait import Color, Portrait, Size, random_portrait

Ears = Literal["drooping", "pointed", "round", "tall"]
Markings = Literal["none", "blaze", "mask", "stripes", "curls"]
ANIMAL_SEEDS = 20_000_000
SEEDS_EACH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Species:
    """One kind of animal. Lengths in half-widths of the face it replaces; colours RGB, 0..255.

    words: what the prompt library calls it. broad: half-width of the head. coat, pale: main colour, and that of
    muzzle, throat and markings. ears, ear, inner: their form, colour and inside. muzzle: half-width and half-height.
    nose: half-width of its tip. eye: radius. slit: pupils stand upright. fluff: how far the cheeks' fur stands out.
    droop: how far the eyes' outer corners hang below their middle.
    """

    words: str
    broad: float
    coat: Color
    pale: Color
    ears: Ears
    ear: Color
    inner: Color
    muzzle: tuple[float, float]
    nose: float
    nose_color: Color
    eye: float
    eye_color: Color
    markings: Markings = "none"
    slit: bool = False
    whiskers: bool = False
    fluff: float = 0.0
    droop: float = -0.02


BLACK: Color = (34, 28, 28)
SPECIES: dict[str, Species] = {
    "basset-hound": Species(
        words="basset hound dog", broad=0.94, coat=(164, 98, 52), pale=(242, 236, 226), ears="drooping",
        ear=(112, 60, 34), inner=(112, 60, 34), muzzle=(0.56, 0.44), nose=0.24, nose_color=BLACK, eye=0.15,
        eye_color=(92, 56, 30), markings="blaze", droop=0.05,
    ),
    "golden-retriever": Species(
        words="golden retriever dog", broad=1.06, coat=(226, 176, 98), pale=(240, 206, 144), ears="drooping",
        ear=(200, 142, 68), inner=(200, 142, 68), muzzle=(0.47, 0.34), nose=0.20, nose_color=BLACK, eye=0.15,
        eye_color=(78, 46, 24), fluff=0.05,
    ),
    "poodle": Species(
        words="poodle dog", broad=0.98, coat=(238, 234, 228), pale=(248, 245, 240), ears="drooping",
        ear=(206, 196, 184), inner=(206, 196, 184), muzzle=(0.34, 0.36), nose=0.17, nose_color=BLACK, eye=0.14,
        eye_color=(52, 34, 24), markings="curls",
    ),
    "siberian-husky": Species(
        words="siberian husky dog", broad=1.06, coat=(74, 80, 92), pale=(246, 246, 246), ears="pointed",
        ear=(66, 70, 82), inner=(208, 178, 172), muzzle=(0.38, 0.32), nose=0.18, nose_color=BLACK, eye=0.14,
        eye_color=(92, 168, 226), markings="mask", fluff=0.08,
    ),
    "cat": Species(
        words="cat", broad=1.10, coat=(150, 146, 142), pale=(224, 220, 214), ears="pointed", ear=(132, 128, 124),
        inner=(226, 164, 160), muzzle=(0.34, 0.22), nose=0.10, nose_color=(214, 124, 124), eye=0.21,
        eye_color=(150, 192, 74), markings="stripes", slit=True, whiskers=True, fluff=0.06,
    ),
    "red-fox": Species(
        words="red fox", broad=1.08, coat=(216, 96, 34), pale=(250, 242, 232), ears="pointed", ear=(206, 86, 28),
        inner=(56, 36, 30), muzzle=(0.28, 0.34), nose=0.14, nose_color=BLACK, eye=0.14, eye_color=(206, 140, 40),
        markings="mask", whiskers=True, fluff=0.20,
    ),
    "bear": Species(
        words="brown bear", broad=1.20, coat=(104, 66, 40), pale=(172, 126, 84), ears="round", ear=(90, 56, 34),
        inner=(150, 106, 72), muzzle=(0.46, 0.36), nose=0.22, nose_color=BLACK, eye=0.11, eye_color=(44, 28, 20),
    ),
    "rabbit": Species(
        words="rabbit", broad=0.98, coat=(206, 188, 166), pale=(244, 236, 226), ears="tall", ear=(198, 178, 156),
        inner=(240, 176, 176), muzzle=(0.34, 0.24), nose=0.10, nose_color=(226, 136, 140), eye=0.19,
        eye_color=(70, 40, 30), whiskers=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Animal:
    """An animal that sits as a person for a portrait: the portrait gives all but the head and the coat."""

    name: str
    portrait: Portrait

    @property
    def species(self) -> Species:
        """How it is built."""
        return SPECIES[self.name]


def animal_at(number: int) -> Animal | None:
    """The animal of painting number; the species take turns, and after the last of them sits a person: None."""
    names = [*SPECIES, None]
    name = names[number % len(names)]
    return None if name is None else Animal(name=name, portrait=sitter_at("square", number))


def sitter_at(size: Size, number: int) -> Portrait:
    """The portrait that painting number follows: never half body, where a head is too small for its features."""
    first = ANIMAL_SEEDS + number * SEEDS_EACH
    portraits = (random_portrait(first + step, size) for step in range(SEEDS_EACH))
    return next(portrait for portrait in portraits if portrait.framing != "half body")

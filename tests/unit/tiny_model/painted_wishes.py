"""Paints what the prompts of the measure ask for."""

from __future__ import annotations

import dataclasses
from itertools import count

import numpy as np
from numpy.typing import NDArray

from tiny_model.measure import Wish
from tiny_model.painter import paint
from tiny_model.portrait import COLORS, HAIR_TONES, Portrait, random_portrait


def painted(wish: Wish, seed: int) -> NDArray[np.uint8]:
    """A painted portrait that shows what wish asks for, with everything else by chance."""
    return paint(portrait_of(wish, seed)).picture


def portrait_of(wish: Wish, seed: int) -> Portrait:
    """The first portrait from seed on that fits the wish, recoloured as it asks, in soft light before a plain wall."""
    opening, hair, clothes, *_ = wish.prompt.split(", ")
    noun = opening.split()[-1]
    found = (random_portrait(seed * 1000 + step) for step in count())
    portrait = next(one for one in found if one.noun == noun and one.framing == "head and shoulders")
    return dataclasses.replace(
        portrait,
        hair_style="bob" if "bob" in hair else hair.split()[0],
        hair_color=wish.hair,
        hair_rgb=HAIR_TONES[wish.hair],
        clothes=clothes.split()[1],
        clothes_color=wish.clothes,
        clothes_rgb=COLORS[wish.clothes],
        background_color=wish.background,
        background_rgb=COLORS[wish.background],
        background_kind="plain",
        light="soft",
    )

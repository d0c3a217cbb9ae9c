"""Painted portraits that move in loops: the head turns from side to side, the lids blink, the mouth smiles."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from .portrait import Portrait

FARTHEST_TURN = 0.95
BLINK_WIDTH = 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How a portrait moves in one loop.

    turn: the middle of the head's turn. swing: how far it turns to each side of it. tilt: degrees that the head leans
    with the turn. sway: how far it wanders with it, in shares of the picture's width. smile: at its strongest, 0..1.
    """

    turn: float
    swing: float
    tilt: float
    sway: float
    smile: float


def random_movement(portrait: Portrait) -> Movement:
    """The movement of portrait's seed: the same one each time."""
    rng = random.Random(f"movement {portrait.seed}")
    swing = rng.uniform(0.5, 0.75)
    turn = max(-0.2, min(0.2, 0.5 * portrait.shape.turn))
    if portrait.hair_style == "ponytail":
        turn, swing = math.copysign(0.5, portrait.shape.turn), 0.45
    return Movement(
        turn=turn,
        swing=swing,
        tilt=rng.uniform(1.5, 5.0),
        sway=rng.uniform(0.01, 0.03),
        smile=rng.uniform(0.5, 1.0),
    )


def moved(portrait: Portrait, movement: Movement, moment: float) -> Portrait:
    """portrait at moment of the loop, 0..1; at 1 it is again as at 0.

    All loops go the same way, for that is learned soonest: the head turns to the picture's right, comes back, blinks in
    the middle, turns to the left and comes back; the smile is strongest at the right and gone at the left.
    """
    side = math.sin(2 * math.pi * moment)
    turn = movement.turn + movement.swing * side
    x, y = portrait.shape.center
    shape = replace(
        portrait.shape,
        turn=max(-FARTHEST_TURN, min(FARTHEST_TURN, turn)),
        tilt=portrait.shape.tilt + movement.tilt * side,
        center=(x + movement.sway * side, y),
    )
    blink = math.exp(-(((moment - 0.5) / BLINK_WIDTH) ** 2))
    return replace(portrait, shape=shape, blink=blink, smile=movement.smile * 0.5 * (1 + side))


def moving(portrait: Portrait, frames: int) -> list[Portrait]:
    """The frames of one loop of portrait in its own movement."""
    movement = random_movement(portrait)
    return [moved(portrait, movement, frame / frames) for frame in range(frames)]

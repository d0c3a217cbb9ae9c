"""Where the parts of a painted head and body are, in pixels of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .canvas import Points
from .portrait import SIZES, Portrait


@dataclass(frozen=True)
class Anatomy:
    """The measures of one portrait.

    Face units: u in half-widths of the face from its centre, v in half-heights of the head, chin at 1, crown at -1.
    """

    portrait: Portrait

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return SIZES[self.portrait.size]

    @cached_property
    def tall(self) -> float:
        """Half the head's height in pixels."""
        width, height = self.size
        return self.portrait.shape.head * math.sqrt(width * height)

    @cached_property
    def wide(self) -> float:
        """Half the face's width in pixels."""
        return self.tall * self.portrait.shape.narrow

    @cached_property
    def center(self) -> tuple[float, float]:
        """Middle of the face in pixels."""
        width, height = self.size
        x, y = self.portrait.shape.center
        return x * width, y * height

    def head(self, points: Points | list[tuple[float, float]]) -> Points:
        """Face units to pixels for what turns with the outline of the head: shape (count, 2)."""
        given = np.asarray(points, np.float64) * (self.wide, self.tall)
        angle = math.radians(self.portrait.shape.tilt)
        cosine, sine = math.cos(angle), math.sin(angle)
        turned = given @ np.array([[cosine, sine], [-sine, cosine]])
        moved: Points = turned + self.center
        return moved

    def face(self, points: Points | list[tuple[float, float]]) -> Points:
        """Face units to pixels for features, which wander sideways as the head turns."""
        given = np.array(points, np.float64)
        turn = self.portrait.shape.turn
        around = np.clip(1 - 0.55 * given[:, 0] ** 2, 0.2, 1)
        given[:, 0] = given[:, 0] * (1 - 0.10 * abs(turn)) + 0.30 * turn * around
        return self.head(given)

    @cached_property
    def outline(self) -> list[tuple[float, float]]:
        """The face's outline in face units, from the crown clockwise."""
        jaw, turn = self.portrait.shape.jaw, self.portrait.shape.turn
        side = [
            (0.0, -1.0), (0.55, -0.90), (0.88, -0.58), (0.98, -0.15), (0.96, 0.20),
            (0.80 + 0.10 * jaw, 0.58), (0.50 + 0.14 * jaw, 0.85), (0.20 + 0.12 * jaw, 0.985),
        ]  # fmt: skip
        left = [(-u, v) for u, v in reversed(side[1:])]
        lower = 0.14 * turn
        return [(u + lower * max(0.0, v) ** 1.5, v) for u, v in (*side, (0.0, 1.0), *left)]

    @cached_property
    def neck(self) -> tuple[float, float]:
        """Middle of the neck's foot in pixels."""
        x, y = self.center
        return x - self.portrait.shape.tilt * 0.01 * self.wide, y + 1.42 * self.tall

    @cached_property
    def shoulders(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The joints of the picture's left and right shoulder in pixels."""
        x, y = self.neck
        reach = (self.portrait.shape.shoulders - 0.35) * self.wide
        return (x - reach, y + 0.42 * self.tall), (x + reach, y + 0.42 * self.tall)

    def arm(self, side: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Elbow and hand in pixels; side 0 is the picture's left arm, 1 its right."""
        outward = -1 if side == 0 else 1
        x, y = self.shoulders[side]
        elbow_out, elbow_down, hand_out, hand_down = self.portrait.shape.arms[side]
        unit = self.wide
        elbow = (x + outward * elbow_out * unit, y + elbow_down * unit)
        return elbow, (x + outward * hand_out * unit, y + hand_down * unit)

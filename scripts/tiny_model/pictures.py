"""Pictures for the autoencoder that are no painted portraits: dead leaves, and photographs at hand.

The photographs are those inside the scikit-image wheel, which are free to use; none is kept in this repository.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

PHOTOGRAPHS = {
    "astronaut.png": 8,
    "chelsea.png": 3,
    "coffee.png": 3,
    "motorcycle_left.png": 3,
    "rocket.jpg": 1,
    "ihc.png": 1,
    "hubble_deep_field.jpg": 1,
    "retina.jpg": 1,
    "grass.png": 1,
    "gravel.png": 1,
    "brick.png": 1,
    "camera.png": 1,
}
SMALLEST_DISC, LARGEST_DISC = 1.5, 60.0


def dead_leaves(size: int, random: np.random.Generator) -> Picture:
    """A square picture of opaque discs that hide one another, RGB, uint8, shape (size, size, 3).

    Radii fall off with the cube of the radius, which makes the statistics those of natural pictures
    (Lee, Mumford & Huang 2001). The discs are shaded a little, so that there are gradients as well as edges.
    """
    canvas = np.full((size, size, 3), random.uniform(0, 255, 3), np.float32)
    count = int(random.integers(30, 220))
    spread = random.uniform(0, 1, count)
    radii = 1 / np.sqrt(SMALLEST_DISC**-2 + spread * (LARGEST_DISC**-2 - SMALLEST_DISC**-2))
    base = random.uniform(0, 255, 3)
    colors = np.clip(base + random.normal(0, random.uniform(20, 90), (count, 3)), 0, 255)
    centers = random.uniform(0, size, (count, 2))
    for (x, y), radius, color in zip(
        centers, np.sort(radii)[::-1] * random.uniform(0.7, 2.0), colors, strict=True
    ):
        cv2.circle(canvas, (int(x * 16), int(y * 16)), int(radius * 16), color.tolist(), -1, cv2.LINE_AA, 4)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    shade = random.uniform(-40, 40) * ramp[:, None] + random.uniform(-40, 40) * ramp[None, :]
    canvas += shade[..., None]
    if random.random() < 0.4:
        canvas = cv2.GaussianBlur(canvas, (0, 0), random.uniform(0.4, 1.5))
    return np.clip(canvas, 0, 255).astype(np.uint8)


@cache
def photographs() -> dict[str, Picture]:
    """The photographs inside the scikit-image wheel by file name, RGB; those a version lacks are left out."""
    folder = Path(skimage.__file__).parent / "data"
    found = {name: cv2.imread(str(folder / name)) for name in PHOTOGRAPHS if (folder / name).exists()}
    return {
        name: np.ascontiguousarray(picture[..., ::-1])
        for name, picture in found.items()
        if picture is not None
    }


def photograph_crop(size: int, random: np.random.Generator) -> Picture:
    """A square crop of one photograph, at a random scale, mirrored and tinted at random."""
    found = photographs()
    weights = np.array([PHOTOGRAPHS[name] for name in found], np.float64)
    picture = list(found.values())[int(random.choice(len(found), p=weights / weights.sum()))]
    short = min(picture.shape[:2])
    extent = int(np.clip(size * np.exp(random.uniform(np.log(0.9), np.log(4.0))), 32, short))
    crop = random_crop(picture, extent, random)
    crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if extent > size else cv2.INTER_CUBIC)
    return tint(crop[:, :: random.choice([-1, 1])], random)


def random_crop(picture: Picture, size: int, random: np.random.Generator) -> Picture:
    """A size x size part of picture, anywhere in it."""
    top = int(random.integers(0, picture.shape[0] - size + 1))
    left = int(random.integers(0, picture.shape[1] - size + 1))
    return picture[top : top + size, left : left + size]


def tint(picture: Picture, random: np.random.Generator) -> Picture:
    """picture with contrast, brightness and colour balance changed a little."""
    gain = random.uniform(0.75, 1.2) * random.uniform(0.9, 1.1, 3)
    return np.clip(picture * gain + random.uniform(-20, 20), 0, 255).astype(np.uint8)

"""Numbers that say whether a photo is sharp, well lit, and new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.faces.values import FaceMeasures

Pixels = NDArray[np.uint8]
Luma = NDArray[np.float32]

HASH_SIDE = 8
BLOCK_SIDE = 8
LEAST_STEP = 0.5
BURNT_OUT = 250
COMMON_LIGHT = 180.0
# What brings the second difference of one direction to the variance of the Laplacian, in faces blurred in none.
BOTH_DIRECTIONS = 2.8


def measure(chip: Pixels) -> FaceMeasures:
    """Sharpness and light of an upright face. chip: RGB, uint8, square."""
    light = luma(chip)
    brightest = float(np.percentile(light, 90))
    return FaceMeasures(
        sharpness=_sharpness(light * np.float32(COMMON_LIGHT / max(brightest, 1.0))),
        light=brightest,
        clipped=float((light >= BURNT_OUT).mean()),
        contrast=float(light.std()),
    )


def _sharpness(light: Luma) -> float:
    """The variance of the second difference in the direction in which it is less: a moved camera blurs in one alone."""
    across = np.diff(light, n=2, axis=1).var()
    down = np.diff(light, n=2, axis=0).var()
    return float(min(across, down)) * BOTH_DIRECTIONS


def luma(pixels: Pixels) -> Luma:
    """Brightness by ITU-R BT.601, float32, 0 to 255, shape (height, width)."""
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.asarray(pixels, dtype=np.float32) @ weights


def laplacian_variance(light: Luma) -> float:
    """The variance of the Laplacian (Pech-Pacheco et al. 2000): low in a blurred picture."""
    middle = light[1:-1, 1:-1]
    laplacian = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:] - 4 * middle
    return float(laplacian.var())


def blockiness(light: Luma) -> float:
    """How much the steps between the blocks of JPEG stand out from those inside them: 1 for not at all, 2 for ugly.

    The ratio of the mean step across the block edges to the median of the other seven (after Wang, Bovik and Evans
    2000), wherever the 8 by 8 grid lies, in the direction in which it is less.
    """
    return round(min(_blocks_along(light), _blocks_along(light.T)), 2)


def _blocks_along(light: Luma) -> float:
    steps = np.abs(np.diff(light, axis=1)).mean(axis=0)
    whole = len(steps) // BLOCK_SIDE * BLOCK_SIDE
    if not whole:
        return 1.0
    columns = steps[:whole].reshape(-1, BLOCK_SIDE).mean(axis=0)
    inside = float(np.median(np.delete(columns, columns.argmax())))
    return float(columns.max()) / max(inside, LEAST_STEP)


def fingerprint(picture: Image.Image) -> str:
    """The 64-bit difference hash of a picture: 16 hexadecimal digits, alike for alike pictures."""
    small = picture.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.int16)
    bits = (values[:, 1:] > values[:, :-1]).flatten()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"

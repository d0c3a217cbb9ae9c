"""The names of colours, as captions use them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Lab = NDArray[np.float32]

# The eleven basic colour terms of English (Berlin and Kay 1969) and the shades that clothes and walls most often have,
# each by examples; a colour has the name of the nearest example.
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "black": ("#0a0a0a", "#1c1c1c"),
    "dark grey": ("#3c3c3c", "#4a4a4a"),
    "grey": ("#6e6e6e", "#909090"),
    "light grey": ("#b4b4b4", "#cfcfcf"),
    "white": ("#f0f0f0", "#ffffff"),
    "dark red": ("#6b1216", "#8b1a1a"),
    "red": ("#c4161c", "#e32b2b"),
    "orange": ("#d9531e", "#f2822b", "#c95f2e"),
    "brown": ("#4a3020", "#6b4a32", "#8a6544"),
    "beige": ("#c8b49a", "#e0d2b8"),
    "yellow": ("#e8c22e", "#f5e050"),
    "dark green": ("#1e3a24", "#2c5236"),
    "green": ("#3a8c46", "#5cb85c", "#7a9a5a"),
    "turquoise": ("#2a9d9d", "#5cc8c8"),
    "light blue": ("#8fb8de", "#b6d4ee"),
    "blue": ("#2a5caa", "#3c7ad0", "#4a6ea0"),
    "dark blue": ("#141c38", "#1c2a52", "#26324a"),
    "purple": ("#5a3278", "#8a56b0"),
    "pink": ("#e08ab0", "#f2bcd0", "#d05a8c"),
}


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb as three numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def lab(colours: Pixels) -> Lab:
    """CIE L*a*b* of sRGB colours, shape (rows, columns, 3)."""
    import cv2

    converted: Lab = cv2.cvtColor(colours.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return converted


def colour_shares(pixels: Pixels) -> list[tuple[str, float]]:
    """The names of the colours in pixels, RGB, uint8, shape (n, 3), with their shares, the largest first.

    Nearest means the smallest CIE 1976 difference.
    """
    if not len(pixels):
        return []
    names = [name for name, examples in EXAMPLES.items() for _ in examples]
    known = lab(np.array([[rgb(code) for codes in EXAMPLES.values() for code in codes]], dtype=np.uint8))[0]
    apart = np.linalg.norm(lab(pixels[None])[0][:, None] - known[None], axis=2)
    counts = np.bincount(apart.argmin(axis=1), minlength=len(names))
    shares = dict.fromkeys(EXAMPLES, 0.0)
    for name, count in zip(names, counts):
        shares[name] += float(count) / len(pixels)
    return sorted(((name, share) for name, share in shares.items() if share), key=lambda pair: -pair[1])

"""Cutting a person out: mediapipe's selfie segmentation, its uncertain edge decided by colour, then softened.

The edge is decided by GrabCut (Rother, Kolmogorov and Blake 2004) in the narrow band where the segmentation is not
sure, and brought to the picture's own edges by the guided filter (He, Sun and Tang 2010) with coefficients computed at
half size (He and Sun 2015).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Layer = NDArray[np.float32]

GENERAL_MODEL = 0
CUT_SIDE = 224
CUT_ROUNDS = 2
BAND_SHARE = 0.011
THINNEST_SHARE = 0.008
SURE, UNSURE = 0.9, 0.1
EDGE_RADIUS_SHARE = 0.008
EDGE_SMOOTHNESS = 1e-4


def person_matte(pixels: Pixels, inside: Mask) -> Mask:
    """How much of each pixel is the person in the middle, 0 to 255, shape (side, side).

    pixels: RGB, uint8, shape (side, side, 3), the head upright at the middle. inside: 0 where pixels are none of the
    photo, which is nobody. The same pixels always give the same matte.
    """
    cut = _cut(pixels, likely_person(pixels))
    soft = _guided(pixels, cut)
    stretched = np.clip((soft - UNSURE) / (SURE - UNSURE), 0, 1) * (inside > 0)
    matte: Mask = np.round(stretched * 255).astype(np.uint8)
    return matte


def likely_person(pixels: Pixels) -> Layer:
    """How likely each pixel is of a person, 0 to 1, float32, blurred at the edges. pixels: RGB, uint8."""
    guess: Layer = _segmenter().process(pixels).segmentation_mask.astype(np.float32)
    return guess


def _cut(pixels: Pixels, guess: Layer) -> Layer:
    """The person's outline decided by colour, 0 to 1, in one piece, at the size of pixels."""
    import cv2

    side = guess.shape[0]
    small = cv2.resize(pixels, (CUT_SIDE, CUT_SIDE), interpolation=cv2.INTER_AREA)
    likely = cv2.resize(guess, (CUT_SIDE, CUT_SIDE), interpolation=cv2.INTER_AREA)
    marks = _marks(likely)
    if (marks == cv2.GC_FGD).any() and (marks == cv2.GC_BGD).any():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, marks, None, *models, CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, _disc(THINNEST_SHARE))
    whole = _middle_piece(person).astype(np.float32)
    blurred = cv2.resize(cv2.GaussianBlur(whole, (0, 0), 1.2), (side, side))
    outline: Layer = np.clip((blurred - 0.5) * 1.5 + 0.5, 0, 1)
    return outline


def _marks(likely: Layer) -> Mask:
    """What is surely and what is perhaps the person, as GrabCut takes it."""
    import cv2

    disc = _disc(BAND_SHARE)
    marks: Mask = np.where(likely > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[cv2.erode((likely > SURE).astype(np.uint8), disc) > 0] = cv2.GC_FGD
    marks[cv2.dilate((likely > UNSURE).astype(np.uint8), disc) == 0] = cv2.GC_BGD
    return marks


def _disc(share: float) -> Mask:
    """A disc whose radius is that share of the cut's side."""
    import cv2

    reach = max(round(share * CUT_SIDE), 1)
    disc: Mask = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return disc


def _middle_piece(person: Mask) -> Mask:
    """Only the piece of a 0 and 1 mask that lies in the middle, or the largest where the middle is empty."""
    import cv2

    count, labels, facts, _ = cv2.connectedComponentsWithStats(person, connectivity=4)
    if count < 2:
        return person
    middle = labels[labels.shape[0] // 2, labels.shape[1] // 2]
    chosen = middle or 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    piece: Mask = (labels == chosen).astype(np.uint8)
    return piece


def _guided(pixels: Pixels, outline: Layer) -> Layer:
    """outline filtered with the picture's colours as the guide; at the size of pixels."""
    import cv2

    side = outline.shape[0]
    half = side // 2
    guide = cv2.resize(pixels, (half, half), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    values = cv2.resize(outline, (half, half), interpolation=cv2.INTER_AREA)
    radius = max(round(EDGE_RADIUS_SHARE * half), 2)
    slopes, offset = _linear_model(guide, values, radius)
    slopes, offset = (cv2.resize(_mean(part, radius), (side, side)) for part in (slopes, offset))
    colours = pixels.astype(np.float32) / 255
    filtered: Layer = (slopes * colours).sum(axis=2) + offset
    return filtered


def _linear_model(guide: Layer, values: Layer, radius: int) -> tuple[Layer, Layer]:
    """Slopes, shape (height, width, 3), and offset of values over the guide's colours around each pixel."""
    guide_mean, value_mean = _mean(guide, radius), _mean(values, radius)
    joint = _mean(guide * values[..., None], radius) - guide_mean * value_mean[..., None]
    products = _mean((guide[..., :, None] * guide[..., None, :]).reshape(*values.shape, 9), radius)
    spread = products.reshape(*values.shape, 3, 3) - guide_mean[..., :, None] * guide_mean[..., None, :]
    slopes = _solved(spread, joint)
    return slopes, value_mean - (slopes * guide_mean).sum(axis=2)


def _solved(spread: Layer, joint: Layer) -> Layer:
    """x of (spread + smoothness) x = joint for symmetric 3 by 3 spreads, by Cramer's rule."""
    rows = [spread[..., row, :].copy() for row in range(3)]
    for index, row in enumerate(rows):
        row[..., index] += EDGE_SMOOTHNESS
    adjoint = [np.cross(rows[(index + 1) % 3], rows[(index + 2) % 3]) for index in range(3)]
    determinant = (rows[0] * adjoint[0]).sum(axis=-1, keepdims=True)
    solution: Layer = sum(joint[..., index, None] * adjoint[index] for index in range(3)) / determinant
    return solution


def _mean(layer: Layer, radius: int) -> Layer:
    import cv2

    width = 2 * radius + 1
    if layer.ndim == 3 and layer.shape[2] > 4:
        parts = [_mean(layer[..., start : start + 3], radius) for start in range(0, layer.shape[2], 3)]
        return np.concatenate(parts, axis=2)
    mean: Layer = cv2.blur(layer, (width, width), borderType=cv2.BORDER_REFLECT)
    return mean


@lru_cache(maxsize=1)
def _segmenter() -> Any:
    from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

    return SelfieSegmentation(model_selection=GENERAL_MODEL)

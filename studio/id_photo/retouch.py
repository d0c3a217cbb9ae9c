"""Mild correction of light and skin, for documents that allow it."""

from __future__ import annotations

import numpy as np

from studio.faces.measures import luma
from studio.faces.pose import Mesh
from studio.faces.similarity import Pixels

GOOD_LIGHT = 190.0
LEAST_GAMMA, MOST_GAMMA = 0.75, 1.15
SMOOTH_SHARE = 0.4
GRAIN_COLOURS = 18.0
GRAIN_SHARE = 0.015
FEATHER_SHARE = 0.02

# Outlines in mediapipe's canonical face mesh: the face, and in it what must stay as sharp as it is.
FACE = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
RIGHT_EYE_AND_BROW = (70, 63, 105, 66, 107, 55, 193, 245, 128, 121, 120, 119, 118, 117, 111, 35, 156)
LEFT_EYE_AND_BROW = (300, 293, 334, 296, 336, 285, 417, 465, 357, 350, 349, 348, 347, 346, 340, 265, 383)
MOUTH = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
NOSTRILS = (98, 97, 2, 326, 327, 278, 294, 4, 64, 48)


def retouched(pixels: Pixels, mesh: Mesh) -> Pixels:
    """pixels with the face's light brought nearer to a good one and its skin slightly smoothed.

    pixels: RGB, uint8. mesh: 478 points in their coordinates, (x, y) first. Light changes by one curve for the whole
    picture; eyes, brows, mouth, nostrils, hair and clothes keep their detail.
    """
    return _smoothed(_lit(pixels, mesh), mesh)


def _lit(pixels: Pixels, mesh: Mesh) -> Pixels:
    face = _area(pixels.shape[:2], mesh, FACE) > 0
    light = float(np.percentile(luma(pixels[face]), 75)) if face.any() else GOOD_LIGHT
    gamma = np.log(GOOD_LIGHT / 255) / np.log(np.clip(light, 2, 253) / 255)
    curve = 255 * (np.arange(256) / 255) ** np.clip(gamma, LEAST_GAMMA, MOST_GAMMA)
    lit: Pixels = np.round(curve).astype(np.uint8)[pixels]
    return lit


def _smoothed(pixels: Pixels, mesh: Mesh) -> Pixels:
    """The bilateral filter (Tomasi and Manduchi 1998), partly, on the skin of the face alone."""
    import cv2

    height = pixels.shape[0]
    skin = _area(pixels.shape[:2], mesh, FACE)
    for outline in (RIGHT_EYE_AND_BROW, LEFT_EYE_AND_BROW, MOUTH, NOSTRILS):
        skin = np.minimum(skin, 255 - _area(pixels.shape[:2], mesh, outline))
    rows, columns = np.flatnonzero(skin.any(axis=1)), np.flatnonzero(skin.any(axis=0))
    if not len(rows):
        return pixels
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    feathered = cv2.GaussianBlur(skin[part], (0, 0), max(FEATHER_SHARE * height / 2, 1))
    share = feathered.astype(np.float32)[..., None] / 255 * SMOOTH_SHARE
    smooth = cv2.bilateralFilter(pixels[part], -1, GRAIN_COLOURS, max(GRAIN_SHARE * height / 2, 1.5))
    made = pixels.copy()
    made[part] = np.round(pixels[part] * (1 - share) + smooth * share).astype(np.uint8)
    return made


def _area(shape: tuple[int, int], mesh: Mesh, outline: tuple[int, ...]) -> Pixels:
    """255 inside the convex outline of mesh points, shape as given."""
    import cv2

    filled = np.zeros(shape, dtype=np.uint8)
    hull = cv2.convexHull(np.round(mesh[list(outline), :2]).astype(np.int32))
    cv2.fillConvexPoly(filled, hull, 255)
    return filled

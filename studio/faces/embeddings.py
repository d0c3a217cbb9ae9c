"""Telling people apart: dlib's face embedding (King 2017; ResNet with 29 layers, 128 numbers)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.faces.models import dlib_model
from studio.faces.values import Box, Embedding

CHIP_SIDE = 150
CHIP_PADDING = 0.25
_LANDMARKS = "shape_predictor_5_face_landmarks.dat"
_RESNET = "dlib_face_recognition_resnet_model_v1.dat"

Pixels = NDArray[np.uint8]


def upright_face(pixels: Pixels, box: Box) -> Pixels:
    """The face in box turned upright and scaled, RGB, uint8, shape (150, 150, 3).

    pixels: RGB, uint8, shape (height, width, 3). box may reach beyond the picture.
    """
    import dlib

    left, top, right, bottom = box.corners()
    shape = _landmarks()(pixels, dlib.rectangle(left, top, right, bottom))
    chip: Pixels = dlib.get_face_chip(pixels, shape, CHIP_SIDE, CHIP_PADDING)
    return chip


def embed(chip: Pixels) -> Embedding:
    """128 numbers for an upright face as upright_face gives it; the same person lies within about 0.6."""
    return tuple(float(number) for number in _resnet().compute_face_descriptor(chip))


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance of two embeddings, 0 (the same picture) to about 1.2."""
    return math.dist(one, other)


@lru_cache(maxsize=1)
def _landmarks() -> Any:
    import dlib

    return dlib.shape_predictor(str(dlib_model(_LANDMARKS)))


@lru_cache(maxsize=1)
def _resnet() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(str(dlib_model(_RESNET)))

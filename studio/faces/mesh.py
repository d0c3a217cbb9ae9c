"""Telling a face from something that only looks like one, with mediapipe's face mesh (Kartynnik et al. 2019)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.faces.values import Box

Pixels = NDArray[np.uint8]

MARGIN = 0.6
MESH_WIDTH = 256
LOWEST_PRESENCE = 0.3


def has_face_mesh(pixels: Pixels, box: Box) -> bool:
    """Whether a mesh of facial landmarks fits what the detector framed.

    pixels: RGB, uint8, shape (height, width, 3). box may reach beyond the picture, which is black there.
    """
    margin = round(box.width * MARGIN)
    frame = (box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
    part = Image.fromarray(pixels).crop(frame)
    small = part.resize((MESH_WIDTH, round(MESH_WIDTH * part.height / part.width)))
    return bool(_mesh().process(np.ascontiguousarray(small)).multi_face_landmarks)


@lru_cache(maxsize=1)
def _mesh() -> Any:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh(static_image_mode=True, max_num_faces=1, min_detection_confidence=LOWEST_PRESENCE)

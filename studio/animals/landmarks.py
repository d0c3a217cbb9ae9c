"""How far a finished picture keeps a person's landmarks, as numbers and drawn over the picture."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from studio.animals.traits import FACE_OVAL
from studio.faces.portrait import Portrait
from studio.faces.pose import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, eye_centre
from studio.values import LandmarkDistance

Points = NDArray[np.float64]

# Points of mediapipe's canonical face mesh, in the order in which they are joined.
RIGHT_EYE = (33, 160, 158, 133, 153, 144)
LEFT_EYE = (362, 385, 387, 263, 373, 380)
BRIDGE = (168, 6, 197, 195, 5, 4)
NOSTRILS = (129, 98, 97, 2, 326, 327, 358)
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
LINES = (
    (FACE_OVAL, True),
    (RIGHT_EYE, True),
    (LEFT_EYE, True),
    (BRIDGE, False),
    (NOSTRILS, False),
    (LIPS, True),
)

DRAWN_SIDE = 768
PERSON, MADE, BETWEEN = (255, 255, 255), (255, 122, 0), (255, 214, 10)
JPEG_QUALITY = 90


def landmark_distance(photo: Portrait, made: Portrait) -> LandmarkDistance:
    """How far the landmarks of made are from those of photo, where both have a face.

    photo: as it was used, cut in the middle to made's proportions.
    """
    person, picture = landmarks(photo), landmarks(made)
    if person is None or picture is None:
        return LandmarkDistance(found=False)
    placed = into_picture(person, (photo.width, photo.height), (made.width, made.height))
    right, left = (eye_centre(placed, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    eyes = float(np.linalg.norm(left - right))
    return LandmarkDistance(
        found=True,
        in_place=_mean_distance(placed, picture) / eyes,
        in_shape=_mean_distance(placed, best_fit(picture, placed)) / eyes,
    )


def landmarks(portrait: Portrait) -> Points | None:
    """The mesh of the main face in the picture's own pixels, shape (478, 2); None without a face."""
    if portrait.head is None:
        return None
    placed: Points = portrait.head.to_frame.inverse()(portrait.head.mesh[:, :2])
    return placed


def into_picture(points: Points, size: tuple[int, int], target: tuple[int, int]) -> Points:
    """Where points of a picture of size come to lie when it is scaled and cut in the middle to fill target."""
    scale = max(target[0] / size[0], target[1] / size[1])
    shift = (np.array(target) - scale * np.array(size)) / 2
    placed: Points = points * scale + shift
    return placed


def best_fit(points: Points, onto: Points) -> Points:
    """points turned, scaled and moved as near to onto as can be, in the sense of least squares (Umeyama 1991)."""
    centre, target = points.mean(axis=0), onto.mean(axis=0)
    own, other = points - centre, onto - target
    left, strengths, right = np.linalg.svd(other.T @ own)
    signs = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    turn = left @ np.diag(signs) @ right
    scale = float((strengths * signs).sum() / (own**2).sum())
    fitted: Points = scale * own @ turn.T + target
    return fitted


def drawn_landmarks(picture: bytes, photo: Portrait, made: Portrait) -> bytes:
    """A JPEG of picture with the person's landmarks in white, its own in orange where there are any, and yellow
    lines between both.
    """
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    scale = DRAWN_SIDE / max(image.size)
    canvas = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(canvas)
    person, own = landmarks(photo), landmarks(made)
    if person is not None:
        person = into_picture(person, (photo.width, photo.height), canvas.size)
    if own is not None:
        own = own * scale
    if person is not None and own is not None:
        for point in sorted({point for line, _ in LINES for point in line}):
            pen.line([tuple(person[point]), tuple(own[point])], fill=BETWEEN, width=1)
    for points, colour in ((person, PERSON), (own, MADE)):
        if points is not None:
            _draw(pen, points, colour)
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


def _draw(pen: ImageDraw.ImageDraw, points: Points, colour: tuple[int, int, int]) -> None:
    for line, closed in LINES:
        places = [tuple(points[point]) for point in (*line, *line[: int(closed)])]
        pen.line(places, fill=colour, width=2, joint="curve")


def _mean_distance(ones: Points, others: Points) -> float:
    return float(np.linalg.norm(ones - others, axis=1).mean())

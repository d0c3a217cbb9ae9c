"""What is found in a picture: frozen values, JSON-ready, so that they can be kept beside the photo."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Embedding = tuple[float, ...]
Lab = tuple[float, float, float]
"""A colour in CIE L*a*b*: lightness 0 to 100, then the two axes of hue."""


class FaceValue(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(FaceValue):
    """A rectangle in pixels of the picture, right and bottom exclusive. It may reach beyond the picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """width times height."""
        return self.width * self.height

    def within(self, width: int, height: int) -> Box:
        """The part that lies inside a picture of width by height."""
        left, right = (min(max(x, 0), width) for x in (self.left, self.right))
        top, bottom = (min(max(y, 0), height) for y in (self.top, self.bottom))
        return Box(left=left, top=top, right=right, bottom=bottom)

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(width, 0) * max(height, 0)
        return shared / (self.area + other.area - shared) if shared else 0.0

    def corners(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom), as training.port.TrainingPhoto takes it."""
        return self.left, self.top, self.right, self.bottom


class Face(FaceValue):
    """One face. score: the detector's confidence, 0 to 1. box: brow to chin, ear to ear, not the hair.

    confirmed: whether landmarks fit it too. False only for a lone find that may be a badly blurred or lit face.
    turn: how far it looks aside, 0 from the front, about 1 where the nose lies below an eye.
    """

    box: Box
    score: float
    confirmed: bool = True
    turn: float = 0.0


class FaceMeasures(FaceValue):
    """Measures of the main face, each on the face upright at 150 by 150 pixels.

    sharpness: variance of the Laplacian of luma brought to one brightness, as it is in the direction in which it is
    less. light: the 90th percentile of luma (0 to 255), low only where even the lit parts are dark. clipped: share of
    pixels at the upper end of luma, 0 to 1. contrast: standard deviation of luma.
    """

    sharpness: float
    light: float
    clipped: float
    contrast: float


class ColourShare(FaceValue):
    """A colour by name (studio.faces.colours) and its share of what was looked at, 0 to 1."""

    name: str
    share: float


class HeadLook(FaceValue):
    """What differs between photos of one person, measured on the main head.

    roll, yaw, pitch: degrees; yaw is positive where the head is turned to the person's own left, pitch where it looks
    down. eyes_open, mouth_open, smile: see studio.faces.pose. light: median luma of the cheeks, 0 to 255.
    light_side: how much brighter the person's own left cheek is, -1 to 1. below_chin: how far the picture goes on below
    the chin, in lengths from eyes to chin. attire, background: their main colours, the largest first; empty where
    nothing is seen of them. background_detail: variance of the background's Laplacian; low for a plain wall or one out
    of focus.
    """

    roll: float
    yaw: float
    pitch: float
    eyes_open: float
    mouth_open: float
    smile: float
    light: float
    light_side: float
    below_chin: float
    attire: tuple[ColourShare, ...]
    background: tuple[ColourShare, ...]
    background_detail: float


class PhotoFindings(FaceValue):
    """All that a photo's verdict rests on.

    width, height: pixels of the whole picture. faces: the main one first. measures: of the main face, or of the whole
    picture where there is no face. embedding: of the main face, None without one. fingerprint: 64-bit difference hash
    of the whole picture, 16 hexadecimal digits. blockiness: how much the steps between the blocks of JPEG stand out,
    1 for not at all. turned: degrees, clockwise, that bring a picture that lies on its side or head upright. look: None
    without a face, and for photos kept before it was measured.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    measures: FaceMeasures
    embedding: Embedding | None
    fingerprint: str
    blockiness: float = 1.0
    turned: Literal[0, 90, 180, 270] = 0
    look: HeadLook | None = None

    @property
    def main_face(self) -> Face | None:
        """The face that counts: the largest."""
        return self.faces[0] if self.faces else None


class Likeness(FaceValue):
    """How much a picture resembles reference photos. score: 0 (no resemblance) to 1 (the same).

    measure: "face" when it comes from face embeddings, "colours" when no face was found and only colours and shapes of
    the face region were compared. Scores of the two measures must not be compared with each other.
    """

    score: float
    measure: Literal["face", "colours"]


class Resemblance(FaceValue):
    """The likeness of a picture to reference photos by two measures, each 0 to 1, which must not be compared.

    face: by face embeddings, None where the picture or every reference shows no face that can be told. head: by colours
    and shapes of the face and its hair.
    """

    face: float | None
    head: float


class Surroundings(FaceValue):
    """What is round a face: the median colour of background and clothes, None where too little of it is seen."""

    background: Lab | None
    clothes: Lab | None

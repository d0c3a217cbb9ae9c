"""The crops on which faces are repaired: they follow the face smoothly, are cut out and laid back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from studio.faces.values import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.animation.clip import Frame

    Numbers = NDArray[np.float64]

ROOM = 1.9
"""Side of the crop in faces (brow to chin, ear to ear); hair and surroundings give the model the scene."""
SMOOTHNESS = 1.0
LONGEST_GAP = 2
FEATHER = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A square of a frame, in whole pixels of it and wholly inside."""

    left: int
    top: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom), right and bottom exclusive."""
        return self.left, self.top, self.left + self.side, self.top + self.side


def crops_following(faces: Sequence[Box | None], width: int, height: int) -> tuple[Crop | None, ...]:
    """One crop a frame around its face, steadied over time; None where there is none.

    faces: as found, frame by frame, in pixels of frames of width by height. A face that was missed in at most 2 frames
    in a row is taken to have gone on evenly. Places and sizes are averaged over neighbouring frames (a Gaussian of one
    frame, going round from the last frame to the first, which is where a clip goes on), so that the small jumps of a
    detector do not become jumps of the picture.
    """
    import numpy as np

    filled = _filled([None if face is None else _placed(face) for face in faces])
    present = np.array([place is not None for place in filled])
    if not present.any():
        return (None,) * len(faces)
    places = np.array([np.zeros(3) if place is None else place for place in filled])
    steady = _smoothed(places, present)
    return tuple(
        _crop(steady[number], width, height) if there else None for number, there in enumerate(present)
    )


def cut(frame: Frame, crop: Crop, side: int) -> bytes:
    """The crop of a frame as a PNG of side by side pixels. frame: RGB, uint8, shape (height, width, 3)."""
    from PIL import Image

    out = io.BytesIO()
    piece = Image.fromarray(frame).resize((side, side), Image.Resampling.LANCZOS, box=crop.box)
    piece.save(out, "PNG", compress_level=1)
    return out.getvalue()


def pasted(frame: Frame, piece: bytes, crop: Crop) -> Frame:
    """A frame with an encoded picture laid back into its crop, the edge blended over a third of the way to the middle.

    frame: RGB, uint8, shape (height, width, 3); it is not changed.
    """
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(piece)) as image:
        painted = image.convert("RGB").resize((crop.side, crop.side), Image.Resampling.LANCZOS)
    left, top, right, bottom = crop.box
    before = frame[top:bottom, left:right].astype(float)
    share = _blend(crop.side)[..., None]
    after = frame.copy()
    after[top:bottom, left:right] = (before + share * (np.asarray(painted) - before)).round().astype(np.uint8)
    return after


def _placed(face: Box) -> tuple[float, float, float]:
    """(x, y, side) of the crop around a face."""
    return (face.left + face.right) / 2, (face.top + face.bottom) / 2, ROOM * max(face.width, face.height)


def _filled(places: list[tuple[float, float, float] | None]) -> list[Any]:
    """The places with short gaps between two of them filled evenly."""
    import numpy as np

    known = [number for number, place in enumerate(places) if place is not None]
    filled: list[Any] = list(places)
    for before, after in pairwise(known):
        if after - before - 1 <= LONGEST_GAP:
            for number in range(before + 1, after):
                share = (number - before) / (after - before)
                filled[number] = (1 - share) * np.array(places[before]) + share * np.array(places[after])
    return filled


def _smoothed(places: Numbers, present: NDArray[np.bool_]) -> Numbers:
    """places, shape (frames, 3), each the mean of its neighbours that are present, by their distance on the loop."""
    import numpy as np

    count = len(places)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    weights = np.exp(-0.5 * (np.minimum(apart, count - apart) / SMOOTHNESS) ** 2) * present
    result: Numbers = (weights @ places) / weights.sum(1, keepdims=True)
    return result


def _crop(place: Numbers, width: int, height: int) -> Crop:
    x, y, side = map(float, place)
    whole = max(min(round(side), width, height), 1)
    left = min(max(round(x - whole / 2), 0), width - whole)
    top = min(max(round(y - whole / 2), 0), height - whole)
    return Crop(left=left, top=top, side=whole)


def _blend(side: int) -> Numbers:
    """How much of the painted picture is seen, 0 to 1, shape (side, side): all in the middle, none at the edge."""
    import numpy as np

    line = (np.arange(side) + 0.5) / side
    ramp = np.clip(np.minimum(line, 1 - line) / FEATHER, 0, 1)
    soft = ramp * ramp * (3 - 2 * ramp)
    return np.outer(soft, soft)

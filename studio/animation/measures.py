"""How well an animation moves: whether what stands still is steady, and whether the end leads back to the beginning."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from studio.animation.clip import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Lumas = NDArray[np.uint8]

LOOKED_AT = 256
STILL_PIXELS = 0.5
MARGIN = 5
LEAST_STILL = 0.02
LEAST_CHANGE = 0.25
"""Levels of 255: neighbours that differ by less count as if by this much, so that a still clip has a seam too."""


def flicker(clip: Clip) -> float:
    """Mean change between neighbouring frames of what does not move, in levels of 255; 0 where all is steady.

    Frames are compared as luma at no more than 256 pixels a side, where grain averages out and what is seen as
    flicker stays. A pixel stands still where the dense optical flow between two frames (Farneback 2003) is below
    half a pixel and 5 pixels around as well. Pairs in which nearly everything moves are left out.
    """
    import numpy as np

    lumas = _lumas(clip)
    changes = []
    for before, after in pairwise(lumas):
        still = _still(before, after)
        if still.mean() >= LEAST_STILL:
            changes.append(np.abs(before.astype(float) - after)[still].mean())
    return round(float(np.mean(changes)), 3) if changes else 0.0


def seam(clip: Clip) -> float:
    """The change from the last frame to the first, in median changes between neighbours; 1 to 2 in a closed loop."""
    import numpy as np

    lumas = _lumas(clip).astype(float)
    if len(lumas) < 2:
        return 0.0
    neighbours = np.abs(np.diff(lumas, axis=0)).mean((1, 2))
    back = float(np.abs(lumas[-1] - lumas[0]).mean())
    return round(back / max(float(np.median(neighbours)), LEAST_CHANGE), 3)


def changed(before: Clip, after: Clip) -> int:
    """In how many frames two clips of one length differ."""
    return sum(bool((one != other).any()) for one, other in zip(before.frames, after.frames))


def _lumas(clip: Clip) -> Lumas:
    """Every frame in grey, uint8, shape (frames, height, width), at most 256 pixels a side."""
    import cv2
    import numpy as np

    shrink = min(LOOKED_AT / max(clip.size), 1.0)
    size = tuple(max(round(side * shrink), 1) for side in clip.size)
    grey = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip.frames)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in grey])


def _still(before: Any, after: Any) -> Any:
    import cv2
    import numpy as np

    flow = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    moves = (np.hypot(flow[..., 0], flow[..., 1]) >= STILL_PIXELS).astype(np.uint8)
    around = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
    return cv2.dilate(moves, around) == 0

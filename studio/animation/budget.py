"""The best GIF within a number of bytes: fewer colours, a smaller picture, fewer frames, as a search over all three.

Whatever is left out is judged by what is seen: the mean structural similarity (SSIM, Wang et al. 2004) of luma between
each frame of the clip and what stands on the screen at its time, at the clip's own size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from studio.animation.clip import Clip
from studio.animation.gif import TOLERANCE, Drawn, drawn, palette_of
from studio.errors import BudgetNotMet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.animation.gif import Colours

    Lumas = NDArray[np.float32]

QUALITIES = ((255, TOLERANCE), (255, 3.5), (128, 4.5), (64, 6.0), (32, 8.0))
"""Colours, and how far a colour may be off before it is drawn anew; see studio.animation.gif.drawn."""
STEPS = (1, 2, 3, 4)
SMALLEST_SIDE = 64
FEWEST_FRAMES = 4
FULL_ENOUGH = 0.93
SCALE_TRIES = 4
JUDGED_FRAMES = 8
SSIM_AS_PUBLISHED = {
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
    "data_range": 255,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is left of a clip. quality: place in QUALITIES. step: every step-th frame stays. scale: of the sides."""

    quality: int = 0
    step: int = 1
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """The best GIF that was found. similarity: its mean SSIM, at most 1. width, height: pixels."""

    data: bytes
    cut: Cut
    similarity: float
    width: int
    height: int
    frames: int


def gif_within(clip: Clip, most_bytes: int) -> Fitted:
    """The GIF of the clip that looks best in no more than most_bytes.

    Raises BudgetNotMet, naming the fewest bytes that are possible, where even the smallest GIF is larger.
    """
    palettes = cache(lambda colours: palette_of(clip, colours))
    tried = cache(lambda cut: _made(clip, cut, palettes))
    judged = cache(lambda cut: similarity(clip, tried(cut), cut.step))
    smallest = Cut(quality=len(QUALITIES) - 1, step=_last_step(clip), scale=_least_scale(clip))
    best = _best(clip, most_bytes, tried, judged)
    if best is None:
        if len(tried(smallest).data) > most_bytes:
            raise BudgetNotMet(most_bytes, len(tried(smallest).data))
        best = smallest
    result = tried(best)
    count, height, width = result.indices.shape
    return Fitted(
        data=result.data, cut=best, similarity=judged(best), width=width, height=height, frames=count
    )


def _best(
    clip: Clip, most_bytes: int, tried: Callable[[Cut], Drawn], judged: Callable[[Cut], float]
) -> Cut | None:
    """Down the qualities at every frame, then down the frames at the best quality, each as long as it gets better."""
    best: Cut | None = None
    for quality in range(len(QUALITIES)):
        cut = _largest(Cut(quality=quality, step=best.step if best else 1), clip, most_bytes, tried)
        if best is not None and (cut is None or judged(cut) < judged(best)):
            break
        best = cut or best
        if best is not None and best.scale == 1.0:
            break
    for step in STEPS[1:]:
        if step > _last_step(clip) or (best is not None and best.scale == 1.0):
            break
        quality = best.quality if best else len(QUALITIES) - 1
        cut = _largest(Cut(quality=quality, step=step), clip, most_bytes, tried)
        if best is not None and (cut is None or judged(cut) < judged(best)):
            break
        best = cut or best
    return best


def _largest(cut: Cut, clip: Clip, most_bytes: int, tried: Callable[[Cut], Drawn]) -> Cut | None:
    """The cut at the largest scale that fits, None where none does. Bytes go with the area, nearly: so few tries do."""
    least, fits, scale = _least_scale(clip), None, 1.0
    for _ in range(SCALE_TRIES):
        attempt = replace(cut, scale=scale)
        share = len(tried(attempt).data) / most_bytes
        if share <= 1:
            fits = attempt if fits is None or attempt.scale > fits.scale else fits
            if share >= FULL_ENOUGH or scale == 1.0:
                break
        elif scale == least:
            break
        scale = min(max(round(scale * math.sqrt(0.97 / share), 3), least), 1.0)
    return fits


def similarity(clip: Clip, result: Drawn, step: int = 1) -> float:
    """Mean SSIM of luma between frames of the clip and what a GIF of every step-th of them shows at their time."""
    import numpy as np
    from PIL import Image
    from skimage.metrics import structural_similarity

    frames = range(0, len(clip.frames), max(len(clip.frames) // JUDGED_FRAMES, 1))
    shown = result.frames
    pairs = []
    for number in frames:
        seen = Image.fromarray(shown[number // step]).resize(clip.size, Image.Resampling.BICUBIC)
        pairs.append((clip.frames[number], np.asarray(seen)))
    return float(
        np.mean(
            [structural_similarity(_luma(truth), _luma(seen), **SSIM_AS_PUBLISHED) for truth, seen in pairs]
        )
    )


def _made(clip: Clip, cut: Cut, palettes: Callable[[int], Colours]) -> Drawn:
    colours, tolerance = QUALITIES[cut.quality]
    frames = _scaled(clip.frames[:: cut.step], clip.size, cut.scale)
    ends = [
        round(min(number * cut.step, len(clip.frames)) * 100 / clip.fps) for number in range(len(frames) + 1)
    ]
    durations = [end - start for start, end in pairwise(ends)]
    return drawn(replace(clip, frames=frames), palettes(colours), tolerance, durations)


def _scaled(frames: Any, size: tuple[int, int], scale: float) -> Any:
    import numpy as np
    from PIL import Image

    if scale == 1.0:
        return frames
    small = (round(size[0] * scale), round(size[1] * scale))
    return np.stack(
        [np.asarray(Image.fromarray(frame).resize(small, Image.Resampling.LANCZOS)) for frame in frames]
    )


def _least_scale(clip: Clip) -> float:
    return min(SMALLEST_SIDE / min(clip.size), 1.0)


def _last_step(clip: Clip) -> int:
    return max((step for step in STEPS if len(clip.frames) / step >= FEWEST_FRAMES), default=1)


def _luma(frame: Any) -> Lumas:
    import cv2
    import numpy as np

    grey: Lumas = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return grey

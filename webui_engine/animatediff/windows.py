"""Which frames a motion module sees together: windows that overlap, elsewhere at each step, as AnimateDiff lays them.

A module knows clips of some 16 or 32 frames. A longer clip is denoised window by window; the windows move from step to
step so that no seam stays in one place. Source: the AnimateDiff contract notes, section 2, and the extension's order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from webui_engine.tasks import Clip, Loop

Window = tuple[int, ...]


def windows(clip: Clip, frames: int, step: int) -> tuple[Window, ...]:
    """The windows of a clip of so many frames at a step (from 0); of frames in several windows the last one counts."""
    if frames <= clip.context:
        return (tuple(range(frames)),)
    found = tuple(_laid_out(clip, frames, step))
    return tuple(dict.fromkeys(_without_seam(found, frames) if clip.loop is Loop.NONE else found))


def _laid_out(clip: Clip, frames: int, step: int) -> Iterator[Window]:
    share = bits_reversed(step)
    shift = round(frames * share)
    end = frames + shift - (0 if clip.loop is Loop.ALL else clip.overlap)
    for level in range(min(clip.stride, math.ceil(math.log2(frames / clip.context)) + 1)):
        spacing = 2**level
        for first in range(int(share * spacing) + shift, end, clip.context * spacing - clip.overlap):
            yield tuple((first + index * spacing) % frames for index in range(clip.context))


def _without_seam(found: tuple[Window, ...], frames: int) -> Iterator[Window]:
    """Windows of neighbouring frames that would join the end to the beginning become the last and the first one."""
    for window in found:
        context = len(window)
        if window[1:] == tuple((frame + 1) % frames for frame in window[:-1]) and window[-1] < window[0]:
            yield tuple(range(frames - context, frames))
            yield tuple(range(context))
        else:
            yield window


def bits_reversed(number: int) -> float:
    """number's binary digits mirrored at the point: 0, 1/2, 1/4, 3/4, 1/8 … (van der Corput 1935)."""
    share, weight = 0.0, 0.5
    while number:
        share += weight * (number & 1)
        number, weight = number >> 1, weight / 2
    return share

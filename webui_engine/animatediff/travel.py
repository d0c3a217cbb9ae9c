"""Prompt travel: lines like ``8: smiling`` in a prompt, each the prompt from that frame on.

Source: the A1111 contract notes, AnimateDiff section 5.
"""

from __future__ import annotations

import re

from webui_engine.errors import WouldBeIgnored

_BEGINS = re.compile(r"\d+:")
_KEY = re.compile(r"(?P<frame>\d+): (?P<text>.+)")


def read_travel(prompt: str, frames: int) -> tuple[tuple[int, str], ...]:
    """The prompts with the frames they begin at, in that order; empty for a prompt that does not travel.

    Lines before and after the numbered ones are part of each. Raises WouldBeIgnored for a frame that is not there: the
    extension then makes every frame of the text as it stands.
    """
    lines = prompt.strip().split("\n")
    start = next((place for place, line in enumerate(lines) if _BEGINS.match(line)), len(lines))
    end = start
    keys: dict[int, str] = {}
    while end < len(lines) and (key := _KEY.fullmatch(lines[end])):
        keys[int(key["frame"])] = key["text"]
        end += 1
    head, tail = ", ".join(lines[:start]), ", ".join(lines[end:])
    for frame in keys:
        if frame >= frames:
            raise WouldBeIgnored("prompt", f"{frame}: …", f"there are {frames} frames, counted from 0")
    return tuple((frame, f"{head}, {keys[frame]}, {tail}") for frame in sorted(keys))

"""What A1111's png-info adds to a parsed infotext: the values that a missing key stands for.

Source: the A1111 contract notes, webui-core section 7.
"""

from __future__ import annotations

import re
from typing import Any

from webui_client.infotext import Infotext

SIZE = re.compile(r"(\d+)x(\d+)")
MISSING: tuple[tuple[str, str | int | bool], ...] = (
    ("Clip skip", "1"),
    ("Hires resize-1", 0),
    ("Hires resize-2", 0),
    ("Hires sampler", "Use same sampler"),
    ("Hires schedule type", "Use same scheduler"),
    ("Hires checkpoint", "Use same checkpoint"),
    ("Hires prompt", ""),
    ("Hires negative prompt", ""),
    ("Mask mode", "Inpaint masked"),
    ("Masked content", "original"),
    ("Inpaint area", "Whole picture"),
    ("Masked area padding", 32),
    ("RNG", "GPU"),
    ("Schedule type", "Automatic"),
    ("Schedule max sigma", 0),
    ("Schedule min sigma", 0),
    ("Schedule rho", 0),
    ("VAE Encoder", "Full"),
    ("VAE Decoder", "Full"),
    ("FP8 weight", "Disable"),
    ("Refiner switch by sampling steps", False),
)


def shown_parameters(parsed: Infotext) -> dict[str, Any]:
    """The pairs of an infotext, sizes split in two, prompts beside them, gaps filled."""
    values: dict[str, Any] = {}
    for key, value in parsed.settings:
        size = SIZE.fullmatch(value)
        values |= {f"{key}-1": size[1], f"{key}-2": size[2]} if size else {key: value}
    values |= {"Prompt": parsed.prompt, "Negative prompt": parsed.negative_prompt}
    return values | {key: value for key, value in MISSING if key not in values}

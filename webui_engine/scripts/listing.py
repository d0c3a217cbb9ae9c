"""The arguments of the enlarging scripts as ``GET script-info`` shows them.

Source: the A1111 contract notes, upscale sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One positional argument: its label, default, range, and the words to choose from."""

    label: str = ""
    value: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """For the answer."""
        return asdict(self)


def sd_upscale_arguments(upscalers: Sequence[str]) -> list[Argument]:
    """The four of "SD upscale"."""
    return [
        Argument(value=""),
        Argument(label="Tile overlap", value=64, minimum=0, maximum=256, step=16),
        Argument(label="Upscaler", value=upscalers[0], choices=tuple(upscalers)),
        Argument(label="Scale Factor", value=2.0, minimum=1.0, maximum=4.0, step=0.05),
    ]


def ultimate_arguments(upscalers: Sequence[str]) -> list[Argument]:
    """The eighteen of "Ultimate SD upscale"."""
    seams = ("None", "Band pass", "Half tile offset pass", "Half tile offset pass + intersections")
    targets = ("From img2img2 settings", "Custom size", "Scale from image size")
    return [
        Argument(value=""),
        Argument(label="Tile width", value=512, minimum=0, maximum=2048, step=64),
        Argument(label="Tile height", value=0, minimum=0, maximum=2048, step=64),
        Argument(label="Mask blur", value=8, minimum=0, maximum=64, step=1),
        Argument(label="Padding", value=32, minimum=0, maximum=512, step=1),
        Argument(label="Width", value=64, minimum=0, maximum=128, step=1),
        Argument(label="Denoise", value=0.35, minimum=0, maximum=1, step=0.01),
        Argument(label="Padding", value=16, minimum=0, maximum=128, step=1),
        Argument(label="Upscaler", value=upscalers[0], choices=tuple(upscalers)),
        Argument(label="Upscaled", value=True),
        Argument(label="Type", value="Linear", choices=("Linear", "Chess", "None")),
        Argument(label="Seams fix", value=False),
        Argument(label="Mask blur", value=4, minimum=0, maximum=64, step=1),
        Argument(label="Type", value=seams[0], choices=seams),
        Argument(label="Target size type", value=targets[0], choices=targets),
        Argument(label="Custom width", value=2048, minimum=64, maximum=8192, step=64),
        Argument(label="Custom height", value=2048, minimum=64, maximum=8192, step=64),
        Argument(label="Scale", value=2, minimum=1, maximum=16, step=0.01),
    ]

"""The two tiled upscale scripts of img2img: "SD upscale" and "Ultimate SD upscale".

Written to the A1111 contract notes on upscaling (sections 4 and 5). The tile is the size of the request.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SEAMS = ("none", "band pass", "half tile", "half tile + intersections")
REDRAW = ("linear", "chess", "none")


class SdUpscale(BaseModel):
    """The built-in script "SD upscale": enlarge, redraw in overlapping tiles of the request's size.

    upscaler: a name as listed; "None" redraws without enlarging. overlap: pixels, less than the tile.
    scale: 1 to 4. The server saves a copy of the result in its own output folder whatever is asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    upscaler: str
    scale: Annotated[float, Field(ge=1, le=4)] = 2.0
    overlap: Annotated[int, Field(ge=0, le=256)] = 64
    script: Literal["SD upscale"] = "SD upscale"

    def spell(self, upscalers: tuple[str, ...], tile: tuple[int, int]) -> list[Any]:
        """Return the script's four arguments; upscalers and tile are not needed for them."""
        del upscalers, tile
        return ["", self.overlap, self.upscaler, self.scale]

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in pixels that a picture of width x height comes back with."""
        if self.upscaler == "None":
            return width, height
        return floor_to(width * self.scale, 8), floor_to(height * self.scale, 8)

    @property
    def returned(self) -> int:
        """How many pictures one run returns; the last is the result."""
        return 1


class UltimateSdUpscale(BaseModel):
    """The extension "Ultimate SD upscale": enlarge, redraw tile by tile, mend the seams if asked.

    upscaler: a name as listed (the script wants its index there, which is looked up). scale: 1 to 16.
    Lengths are pixels. seams_width counts for "band pass" only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    upscaler: str
    scale: Annotated[float, Field(ge=1, le=16)] = 2.0
    mask_blur: Annotated[int, Field(ge=0, le=64)] = 8
    padding: Annotated[int, Field(ge=0, le=512)] = 32
    redraw: Literal["linear", "chess", "none"] = "linear"
    seams: Literal["none", "band pass", "half tile", "half tile + intersections"] = "none"
    seams_width: Annotated[int, Field(ge=0, le=128)] = 64
    seams_denoising_strength: Annotated[float, Field(ge=0, le=1)] = 0.35
    seams_padding: Annotated[int, Field(ge=0, le=128)] = 16
    seams_mask_blur: Annotated[int, Field(ge=0, le=64)] = 4
    script: Literal["Ultimate SD upscale"] = "Ultimate SD upscale"

    def spell(self, upscalers: tuple[str, ...], tile: tuple[int, int]) -> list[Any]:
        """Return the script's eighteen arguments, all of which it needs.

        upscalers: the server's list, whose order gives the index. tile: (width, height) of a tile in pixels.
        Nothing is saved on the server, and the target is a multiple of the picture, not the request's size.
        """
        by_scale, unused_side = 2, 2048
        return [
            "",
            *tile,
            self.mask_blur,
            self.padding,
            self.seams_width,
            self.seams_denoising_strength,
            self.seams_padding,
            upscalers.index(self.upscaler),
            False,
            REDRAW.index(self.redraw),
            False,
            self.seams_mask_blur,
            SEAMS.index(self.seams),
            by_scale,
            unused_side,
            unused_side,
            self.scale,
        ]

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in pixels that a picture of width x height comes back with: sides rounded up to
        64.
        """
        return math.ceil(width * self.scale / 64) * 64, math.ceil(height * self.scale / 64) * 64

    @property
    def returned(self) -> int:
        """How many pictures one run returns; the last is the result (before it, the one with unmended
        seams).
        """
        return 1 if self.seams == "none" else 2


Upscale = SdUpscale | UltimateSdUpscale


def floor_to(length: float, multiple: int) -> int:
    """Return length rounded down to a multiple, as the server does with sizes."""
    return int(length) // multiple * multiple

"""A clip: the frames of an animation, and the lossless file it is kept in.

The file is an animated PNG (PNG, 3rd edition, section 4.9), so that everything that handles a finished picture handles
an animation too: its first frame is the picture for whoever looks at one only.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.recipes import INFOTEXT_CHUNK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]
    Frames = NDArray[np.uint8]

FASTEST_COMPRESSION = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """frames: RGB, uint8, shape (frames, height, width, 3), at least one. fps: frames a second.

    infotext: A1111's generation parameters, "" for none.
    """

    frames: Frames
    fps: float
    infotext: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        _, height, width, _ = self.frames.shape
        return width, height


def clip_of(pictures: Sequence[bytes], fps: float, infotext: str = "") -> Clip:
    """The clip of encoded pictures of one size. Raises ValueError where sizes differ."""
    import numpy as np
    from PIL import Image

    frames = []
    for picture in pictures:
        with Image.open(io.BytesIO(picture)) as image:
            frames.append(np.asarray(image.convert("RGB")))
    return Clip(frames=np.stack(frames), fps=fps, infotext=infotext)


def kept(clip: Clip) -> bytes:
    """The clip as an animated PNG that plays for ever."""
    from PIL import Image, PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    texts.add_itxt(INFOTEXT_CHUNK, clip.infotext)
    first, *rest = (Image.fromarray(frame) for frame in clip.frames)
    out = io.BytesIO()
    first.save(
        out,
        "PNG",
        save_all=True,
        append_images=rest,
        duration=round(1000 / clip.fps),
        loop=0,
        compress_level=FASTEST_COMPRESSION,
        pnginfo=texts,
    )
    return out.getvalue()


def opened(file: bytes) -> Clip:
    """The clip in an animated PNG; a still one has one frame.

    Equal neighbours, which the file keeps as one long frame, are apart again, as far as that frame is a multiple of the
    shortest. Raises OSError for what is no picture.
    """
    import numpy as np
    from PIL import Image, ImageSequence

    with Image.open(io.BytesIO(file)) as image:
        infotext = str(image.info.get(INFOTEXT_CHUNK, ""))
        shown = [
            (np.asarray(frame.convert("RGB")), float(frame.info.get("duration", 0)))
            for frame in ImageSequence.Iterator(image)
        ]
    shortest = min((duration for _, duration in shown if duration > 0), default=1000.0)
    frames = [frame for frame, duration in shown for _ in range(max(round(duration / shortest), 1))]
    return Clip(frames=np.stack(frames), fps=1000.0 / shortest, infotext=infotext)


def stacked(frames: Sequence[Frame]) -> Frames:
    """Several frames of one size as the frames of a clip."""
    import numpy as np

    return np.stack(frames)

"""Writing a GIF with few bytes: one palette for all frames, and of each frame only what visibly changes.

A pixel keeps the colour that stands there from the frame before as long as its own palette colour would be nearer to
the truth by no more than a tolerance; what is kept is transparent, and long runs of it take nearly nothing (GIF89a,
sections 20 and 23; LZW by Pillow). Colours are compared in RGB weighted by the square roots of the luma weights (ITU-R
BT.601).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from studio.animation.clip import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.animation.clip import Frames

    Indices = NDArray[np.uint8]
    Colours = NDArray[np.uint8]

MOST_COLOURS = 255
"""One of the 256 entries says "as before"."""
TRANSPARENT = 255
TOLERANCE = 1.75
SAMPLED_PIXELS = 60_000
BITS = 7
LUMA_ROOTS = (0.547, 0.766, 0.338)
HEADER_BYTES, DESCRIPTOR_BYTES, PALETTE_BYTES = 13, 10, 768


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A GIF and what it shows: indices, uint8, shape (frames, height, width), into palette, RGB."""

    data: bytes
    indices: Indices
    palette: Colours

    @property
    def frames(self) -> Frames:
        """What is seen, RGB, uint8, shape (frames, height, width, 3)."""
        shown: Frames = self.palette[self.indices]
        return shown


def drawn(
    clip: Clip,
    palette: Colours | None = None,
    tolerance: float = TOLERANCE,
    durations: Sequence[int] = (),
) -> Drawn:
    """A clip as a GIF that plays for ever.

    palette: RGB, shape (colours, 3), at most 255; made for the clip if left out. tolerance: in levels of 255.
    durations: of each frame in hundredths of a second; those of the clip's fps if left out, in whole hundredths that
    stay in step with it.
    """
    palette = palette_of(clip) if palette is None else palette
    nearest = _nearest(clip.frames, palette)
    shown, changes = _held(clip.frames, nearest, palette, tolerance)
    ticks = durations or _ticks(len(clip.frames), clip.fps)
    data = b"".join(_file(changes, palette, ticks, clip.infotext))
    return Drawn(data=data, indices=shown, palette=palette)


def palette_of(clip: Clip, colours: int = MOST_COLOURS) -> Colours:
    """At most so many colours for a whole clip: median cut over pixels of all frames (Heckbert 1982), then the means of
    the pixels nearest to each (one step of Lloyd's). RGB, uint8, shape (colours, 3).
    """
    import numpy as np
    from PIL import Image

    pixels = clip.frames.reshape(-1, 3)
    sample = pixels[:: max(len(pixels) // SAMPLED_PIXELS, 1)]
    side = int(len(sample) ** 0.5)
    image = Image.fromarray(np.ascontiguousarray(sample[: side * side].reshape(side, side, 3)))
    cut = np.array(image.quantize(colours, Image.Quantize.MEDIANCUT).getpalette(), np.uint8)[: 3 * colours]
    return _moved_to_means(sample, cut.reshape(-1, 3))


def _moved_to_means(sample: Any, palette: Colours) -> Colours:
    """The mean of the pixels nearest to each colour; a colour that is nearest to none stays. sample: shape (n, 3)."""
    import numpy as np

    nearest, colours = _nearest(sample, palette), len(palette)
    counts = np.bincount(nearest, minlength=colours)
    sums = np.stack([np.bincount(nearest, channel, minlength=colours) for channel in sample.T], axis=-1)
    means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], palette)
    return means.round().astype(np.uint8)


def _nearest(frames: Frames, palette: Colours) -> Indices:
    """The palette's nearest colour of each pixel, looked up once for each colour that occurs, to 7 bits a channel."""
    import numpy as np
    from scipy.spatial import cKDTree

    reduced = (frames >> (8 - BITS)).astype(np.int32)
    codes = (reduced[..., 0] << 2 * BITS) | (reduced[..., 1] << BITS) | reduced[..., 2]
    occurs = np.zeros(1 << 3 * BITS, bool)
    occurs[codes.ravel()] = True
    (present,) = np.nonzero(occurs)
    mask, middle = (1 << BITS) - 1, (256 >> BITS) / 2 - 0.5
    channels = np.stack([present >> 2 * BITS, (present >> BITS) & mask, present & mask], axis=-1)
    weights = np.array(LUMA_ROOTS)
    table = np.zeros(len(occurs), np.uint8)
    table[present] = cKDTree(palette * weights).query((channels * (256 >> BITS) + middle) * weights)[1]
    found: Indices = table[codes]
    return found


def _held(
    frames: Frames, nearest: Indices, palette: Colours, tolerance: float
) -> tuple[Indices, list[Indices]]:
    """What is seen in each frame, and of each the pixels that change with the others transparent."""
    import numpy as np

    weights = np.array(LUMA_ROOTS, np.float32)
    weighted = palette * weights
    shown = nearest[0]
    seen, changes = [shown], [shown]
    for frame, wanted in zip(frames[1:], nearest[1:]):
        differs = shown != wanted
        truth = frame[differs] * weights
        off = np.linalg.norm(truth - weighted[shown[differs]], axis=1)
        least = np.linalg.norm(truth - weighted[wanted[differs]], axis=1)
        changing = np.zeros_like(differs)
        changing[differs] = off > least + tolerance
        shown = np.where(changing, wanted, shown)
        seen.append(shown)
        changes.append(np.where(changing, wanted, np.uint8(TRANSPARENT)))
    return np.stack(seen), changes


def _ticks(count: int, fps: float) -> list[int]:
    ends = [round(number * 100 / fps) for number in range(count + 1)]
    return [end - start for start, end in pairwise(ends)]


def _file(
    changes: Sequence[Indices], palette: Colours, durations: Sequence[int], comment: str
) -> Iterator[bytes]:
    height, width = changes[0].shape
    yield b"GIF89a" + _short(width) + _short(height) + b"\xf7\x00\x00"
    yield palette.tobytes() + bytes(PALETTE_BYTES - palette.nbytes)
    yield b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    if comment:
        yield b"\x21\xfe" + _sub_blocks(comment.encode())
    for number, (frame, duration) in enumerate(zip(changes, durations)):
        left, top, right, bottom = _changed_box(frame)
        yield b"\x21\xf9\x04" + bytes([4 | (number > 0)]) + _short(duration) + bytes([TRANSPARENT, 0])
        yield b"\x2c" + b"".join(map(_short, (left, top, right - left, bottom - top))) + b"\x00"
        yield _compressed(frame[top:bottom, left:right])
    yield b"\x3b"


def _changed_box(frame: Indices) -> tuple[int, int, int, int]:
    """The part of a frame that is not transparent; one pixel where all of it is."""
    import numpy as np

    changed = frame != TRANSPARENT
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _compressed(indices: Any) -> bytes:
    """The LZW data of an image block, taken out of a GIF of this picture alone."""
    import numpy as np
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(indices)).save(out, "GIF", optimize=False, interlace=0)
    return out.getvalue()[HEADER_BYTES + PALETTE_BYTES + DESCRIPTOR_BYTES : -1]


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[start : start + 255] for start in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\x00"


def _short(number: int) -> bytes:
    return number.to_bytes(2, "little")

"""A GIF of an animation against a plain Pillow save of the same frames: time, bytes and what is seen."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from skimage.metrics import structural_similarity

from bench.rows import Row, ratio_row
from studio.animation.clip import Clip
from studio.animation.gif import drawn
from tests.moving import swaying

SIDE, COUNT, FPS = 512, 16, 8
GRAIN = 1.0
TIME_LIMIT, BYTES_LIMIT, SIMILARITY_LIMIT = 1.0, 0.5, 0.0
LUMA = (0.299, 0.587, 0.114)

Frames = NDArray[np.uint8]


def measure(_folder: Path, rounds: int) -> list[Row]:
    """The three comparisons, on processor seconds of one thread."""
    clip = Clip(frames=grainy(swaying(COUNT, SIDE)), fps=FPS)
    ours, plain = zip(*((seconds(lambda: drawn(clip)), seconds(lambda: saved(clip))) for _ in range(rounds)))
    mine, other = drawn(clip).data, saved(clip)
    seen, seen_plain = similarity(clip.frames, mine), similarity(clip.frames, other)
    note = f"{COUNT} frames of {SIDE} x {SIDE}: a photographed head that sways, with grain of {GRAIN:g} level of 255"
    return [
        ratio_row("a GIF, time", ours, plain, TIME_LIMIT, note),
        Row(
            what="a GIF, bytes",
            ours=f"{len(mine) / 1000:.0f} KB",
            plain=f"{len(other) / 1000:.0f} KB",
            value=len(mine) / len(other),
            limit=BYTES_LIMIT,
        ),
        Row(
            what="a GIF, SSIM that is lost",
            ours=f"{seen:.4f}",
            plain=f"{seen_plain:.4f}",
            value=seen_plain - seen,
            limit=SIMILARITY_LIMIT,
            note="mean SSIM of luma to the frames, by scikit-image; measured is how much less ours has",
        ),
    ]


def grainy(frames: Frames) -> Frames:
    """Frames with grain of their own, as no two generated ones are quite equal where nothing moves."""
    grain = np.random.default_rng(0).normal(0, GRAIN, frames.shape)
    return np.clip(frames + grain, 0, 255).round().astype(np.uint8)


def saved(clip: Clip) -> bytes:
    """What Image.save makes of the frames."""
    first, *rest = (Image.fromarray(frame) for frame in clip.frames)
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=rest, duration=round(1000 / clip.fps), loop=0)
    return out.getvalue()


def similarity(frames: Frames, file: bytes) -> float:
    """Mean SSIM of luma between frames and what a GIF shows of each."""
    with Image.open(io.BytesIO(file)) as image:
        shown = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    pairs = (
        (truth @ np.array(LUMA), seen @ np.array(LUMA)) for truth, seen in zip(frames, shown, strict=True)
    )
    return float(np.mean([structural_similarity(truth, seen, data_range=255) for truth, seen in pairs]))


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of a call."""
    started = time.process_time()
    work()
    return time.process_time() - started

"""Animations as files: GIF, MP4, WebP and WebM, each with its infotext inside.

Source: the A1111 contract notes, AnimateDiff section 4.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import av
import numpy as np
from PIL import Image

from webui_engine.animatediff.arguments import FILES

CRF, WEBM_CRF = "23", "31"
WEBP_QUALITY = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Frames of one size in RGB. fps: frames a second. loops: how often it is shown, 0 for ever; a video does not tell.

    exif: the infotext as WebP keeps it.
    """

    frames: Sequence[Image.Image]
    fps: int
    loops: int = 0
    infotext: str = ""
    exif: bytes = b""


def written(film: Film, formats: Sequence[str]) -> dict[str, bytes]:
    """The file of each of the formats that is one of an animation, in the extension's order."""
    return {name: _WRITERS[name](film) for name in FILES if name in formats}


def _gif(film: Film) -> bytes:
    return _by_pillow(film, "GIF", comment=film.infotext.encode("utf-8"))


def _webp(film: Film) -> bytes:
    return _by_pillow(film, "WEBP", quality=WEBP_QUALITY, exif=film.exif)


def _by_pillow(film: Film, kind: str, **extra: Any) -> bytes:
    out = io.BytesIO()
    first, *others = film.frames
    first.save(
        out, kind, save_all=True, append_images=others, duration=1000 / film.fps, loop=film.loops, **extra
    )
    return out.getvalue()


def _mp4(film: Film) -> bytes:
    return _by_ffmpeg(film, "mp4", "libx264", {"crf": CRF}, {"comment": film.infotext})


def _webm(film: Film) -> bytes:
    texts = {"title": film.infotext, "comment": film.infotext}
    return _by_ffmpeg(film, "webm", "libvpx-vp9", {"crf": WEBM_CRF, "b": "0"}, texts)


def _by_ffmpeg(
    film: Film, kind: str, codec: str, options: Mapping[str, str], texts: Mapping[str, str]
) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        container.metadata.update(texts)
        stream = cast("av.VideoStream", container.add_stream(codec, rate=film.fps, options=dict(options)))
        stream.width, stream.height = film.frames[0].size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for frame in film.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame.convert("RGB")))))
        container.mux(stream.encode(None))
    return out.getvalue()


_WRITERS: Mapping[str, Callable[[Film], bytes]] = MappingProxyType(
    {"GIF": _gif, "MP4": _mp4, "WEBP": _webp, "WEBM": _webm}
)

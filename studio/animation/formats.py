"""A clip as the files that people send: GIF, MP4, WebP and APNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from fractions import Fraction

from studio.animation.budget import gif_within
from studio.animation.clip import Clip, kept
from studio.animation.gif import drawn
from studio.values import AnimationFormat

MEDIA_TYPES: Mapping[AnimationFormat, str] = {
    "gif": "image/gif",
    "mp4": "video/mp4",
    "webp": "image/webp",
    "apng": "image/apng",
}
WEBP_QUALITY = 85
MP4_CRF = "18"
EXIF_USER_COMMENT, UNICODE = 0x9286, b"UNICODE\x00"


def encoded(clip: Clip, file_format: AnimationFormat, most_bytes: int | None = None) -> bytes:
    """The clip as a file that carries its infotext. most_bytes: of a GIF; other formats take no notice.

    Raises BudgetNotMet where no GIF of the clip has so few.
    """
    if file_format == "gif" and most_bytes is not None:
        return gif_within(clip, most_bytes).data
    return ENCODERS[file_format](clip)


def gif(clip: Clip) -> bytes:
    """A GIF at full size with all frames, that plays for ever."""
    return drawn(clip).data


def webp(clip: Clip) -> bytes:
    """A lossy WebP that plays for ever."""
    from PIL import Image

    exif = Image.Exif()
    exif.get_ifd(0x8769)[EXIF_USER_COMMENT] = UNICODE + clip.infotext.encode("utf-16-be")
    first, *rest = (Image.fromarray(frame) for frame in clip.frames)
    out = io.BytesIO()
    first.save(
        out,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=round(1000 / clip.fps),
        loop=0,
        quality=WEBP_QUALITY,
        method=4,
        exif=exif,
    )
    return out.getvalue()


def mp4(clip: Clip) -> bytes:
    """An H.264 video that every phone plays; odd sides lose a pixel."""
    import av

    width, height = (side - side % 2 for side in clip.size)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        container.metadata["comment"] = clip.infotext
        stream = container.add_stream("libx264", rate=Fraction(clip.fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": MP4_CRF, "preset": "medium"}
        for pixels in clip.frames:
            frame = av.VideoFrame.from_ndarray(pixels[:height, :width].copy(), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


ENCODERS: Mapping[AnimationFormat, Callable[[Clip], bytes]] = {
    "gif": gif,
    "mp4": mp4,
    "webp": webp,
    "apng": kept,
}

"""Fitting pictures to a size in A1111's ways."""

from __future__ import annotations

from PIL import Image

from webui_engine.tasks import ResizeMode

_LANCZOS = Image.Resampling.LANCZOS


def fit(picture: Image.Image, mode: ResizeMode, width: int, height: int) -> Image.Image:
    """picture at width by height.

    STRETCH ignores the proportions (so does LATENT, which the caller replaces by stretching latents); CROP covers the
    frame and cuts what stands out; FILL shows all of it and continues its outermost lines into what is left.
    """
    if picture.size == (width, height):
        return picture
    if mode is ResizeMode.CROP:
        return _crop(picture, width, height)
    if mode is ResizeMode.FILL:
        return _fill(picture, width, height)
    return picture.resize((width, height), _LANCZOS)


def opaque(picture: Image.Image, background: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """picture in RGB, on the background where it is transparent."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, (*background, 255))
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def _crop(picture: Image.Image, width: int, height: int) -> Image.Image:
    covering = picture.resize(_scaled(picture, max(width / picture.width, height / picture.height)), _LANCZOS)
    placed = Image.new(picture.mode, (width, height))
    placed.paste(covering, ((width - covering.width) // 2, (height - covering.height) // 2))
    return placed


def _fill(picture: Image.Image, width: int, height: int) -> Image.Image:
    contained = picture.resize(
        _scaled(picture, min(width / picture.width, height / picture.height)), _LANCZOS
    )
    left, top = (width - contained.width) // 2, (height - contained.height) // 2
    placed = Image.new(picture.mode, (width, height))
    placed.paste(contained, (left, top))
    right, bottom = left + contained.width, top + contained.height
    for strip, place in (
        ((0, 0, contained.width, 1), (0, 0, width, top)),
        ((0, contained.height - 1, contained.width, contained.height), (0, bottom, width, height)),
        ((0, 0, 1, contained.height), (0, 0, left, height)),
        ((contained.width - 1, 0, contained.width, contained.height), (right, 0, width, height)),
    ):
        _continue_edge(placed, contained, strip, place)
    return placed


def _continue_edge(
    placed: Image.Image,
    contained: Image.Image,
    strip: tuple[int, int, int, int],
    place: tuple[int, int, int, int],
) -> None:
    size = place[2] - place[0], place[3] - place[1]
    if min(size) > 0:
        placed.paste(contained.crop(strip).resize(size), place[:2])


def _scaled(picture: Image.Image, factor: float) -> tuple[int, int]:
    return max(1, round(picture.width * factor)), max(1, round(picture.height * factor))

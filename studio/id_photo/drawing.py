"""The check drawn over the picture: crown, chin, eye line and middle with their limits, in millimetres."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from studio.id_photo.check import SeenPicture, lengths_on_paper
from studio.id_photo.documents import DocumentSpec, Range
from studio.values import CheckCode, CheckReport

DRAWN_HEIGHT = 900
MARGIN_SHARE = 0.5
GOOD, BAD, BAND = (22, 128, 62), (200, 40, 40), (22, 128, 62, 46)
PAPER = (255, 255, 255)
TEXT_SHARE = 0.04
JPEG_QUALITY = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A measured length. at, start: heights from the upper edge in mm. allowed: heights at which `at` may lie."""

    code: CheckCode
    at: float
    start: float
    allowed: tuple[float, float]
    value: float
    limits: Range
    column: int


def drawn_check(spec: DocumentSpec, seen: SeenPicture, report: CheckReport) -> bytes:
    """A JPEG of the picture with each measured length beside it: green within its limits, red outside.

    Beside each stands "value (min-max)" in mm; the tinted bands are where a line may lie.
    """
    pixels = Image.fromarray(seen.pixels)
    scale = DRAWN_HEIGHT / pixels.height
    picture = pixels.resize((round(pixels.width * scale), DRAWN_HEIGHT), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (picture.width + round(DRAWN_HEIGHT * MARGIN_SHARE), DRAWN_HEIGHT), PAPER)
    canvas.paste(picture)
    pen = ImageDraw.Draw(canvas, "RGBA")
    for line in _lines(spec, seen):
        finding = report.finding(line.code)
        _draw(pen, line, picture.width, DRAWN_HEIGHT / spec.height, good=finding is None or finding.passed)
    _draw_middle(pen, picture.size, report)
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


def _lines(spec: DocumentSpec, seen: SeenPicture) -> list[_Line]:
    lengths = lengths_on_paper(spec, seen)
    chin = lengths.top + lengths.head
    lines = [
        _Line(
            code=CheckCode.HEAD_HEIGHT, at=lengths.top, start=chin, value=lengths.head, limits=spec.head, column=0,
            allowed=(chin - spec.head.max, chin - spec.head.min),
        )
    ]  # fmt: skip
    if spec.eyes:
        low, high = spec.height - spec.eyes.max, spec.height - spec.eyes.min
        lines.append(
            _Line(
                code=CheckCode.EYE_LINE, at=spec.height - lengths.eyes, start=spec.height, value=lengths.eyes,
                limits=spec.eyes, column=1, allowed=(low, high),
            )
        )  # fmt: skip
    if spec.top:
        lines.append(
            _Line(
                code=CheckCode.TOP_MARGIN, at=lengths.top, start=0, value=lengths.top, limits=spec.top, column=2,
                allowed=(spec.top.min, spec.top.max),
            )
        )  # fmt: skip
    return lines


def _draw(pen: ImageDraw.ImageDraw, line: _Line, width: int, scale: float, *, good: bool) -> None:
    """One length: its ends over the picture, its allowed band, and the dimension line beside the picture."""
    colour = GOOD if good else BAD
    end, start = line.at * scale, line.start * scale
    if line.code is not CheckCode.TOP_MARGIN:
        band = sorted(height * scale for height in line.allowed)
        pen.rectangle((0, band[0], width, band[1]), fill=BAND)
    reach = width + DRAWN_HEIGHT * MARGIN_SHARE * (0.08 + 0.33 * line.column)
    for height in (end, start):
        pen.line((0, height, reach, height), fill=colour, width=3)
    pen.line((reach, end, reach, start), fill=colour, width=3)
    font = ImageFont.load_default(DRAWN_HEIGHT * TEXT_SHARE)
    text = f"{line.value:.1f}\n({line.limits.min:g}-{line.limits.max:g})"
    middle = max((end + start) / 2, DRAWN_HEIGHT * TEXT_SHARE * 1.5)
    pen.multiline_text((reach + 6, middle), text, fill=colour, font=font, anchor="lm", spacing=2)


def _draw_middle(pen: ImageDraw.ImageDraw, size: tuple[int, int], report: CheckReport) -> None:
    """The middle of the picture, dotted."""
    finding = report.finding(CheckCode.CENTRED)
    colour = GOOD if finding is None or finding.passed else BAD
    for start in range(0, size[1], 18):
        pen.line((size[0] / 2, start, size[0] / 2, start + 6), fill=(*colour, 150), width=1)

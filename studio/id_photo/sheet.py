"""Pictures laid out on paper for printing and cutting: positions in millimetres, then a PDF or a JPEG of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from studio.errors import SheetTooSmall
from studio.id_photo.documents import pixels_of
from studio.id_photo.pdf import PdfPage, pdf_file

# Width and height in mm; ISO 216 and ISO 1008 sizes, and the American ones in inches.
PAPERS: Mapping[str, tuple[float, float]] = {
    "10x15": (100.0, 150.0),
    "13x18": (130.0, 180.0),
    "a4": (210.0, 297.0),
    "4x6in": (101.6, 152.4),
    "5x7in": (127.0, 177.8),
}
EDGE = 2.0
ROUNDING = 1e-6
MARK_LENGTH, MARK_DISTANCE = 3.0, 0.4
MARK_WIDTH = 0.15
MARK_GREY = 120
JPEG_QUALITY = 95
MOST_PICTURES = 500

Rectangle = tuple[float, float, float, float]
Segment = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """A picture to print. jpeg: its file. width, height: mm on paper. count: None for as often as there is room."""

    jpeg: bytes
    width: float
    height: float
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOrder:
    """How the paper is used. gap: mm between pictures. cut_marks: lines at the corners that guide scissors."""

    paper: str
    gap: float = 2.0
    cut_marks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The number of a print in the order given, and its place: left, top, right, bottom in mm from the upper left."""

    number: int
    place: Rectangle


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A laid-out page of width by height mm. marks: segments (x, y, x, y) in mm, drawn below the pictures."""

    width: float
    height: float
    placed: tuple[Placed, ...]
    marks: tuple[Segment, ...]


def lay_out(prints: Sequence[Print], order: SheetOrder) -> Sheet:
    """Lay prints out in rows, on the paper upright or lying, whichever holds more.

    Prints with a count are placed so often; the others share the rest of the room by turns. Raises SheetTooSmall when
    the counted ones, or one of each other, do not fit.
    """
    narrow, wide = PAPERS[order.paper]
    sheets = [_filled(prints, order, size) for size in ((narrow, wide), (wide, narrow))]
    best = max(sheets, key=lambda sheet: len(sheet.placed))
    wanted = sum(print_.count or 1 for print_ in prints)
    there = sum(_enough(best, number, print_) for number, print_ in enumerate(prints))
    if there < wanted:
        raise SheetTooSmall(order.paper, wanted, there)
    return best


def _enough(sheet: Sheet, number: int, print_: Print) -> int:
    """How many of what a print asks for are placed."""
    placed = sum(item.number == number for item in sheet.placed)
    return min(placed, print_.count or 1)


def _filled(prints: Sequence[Print], order: SheetOrder, size: tuple[float, float]) -> Sheet:
    chosen = [number for number, print_ in enumerate(prints) for _ in range(print_.count or 1)]
    rows = _rows(chosen, prints, order, size)
    turns = [number for number, print_ in enumerate(prints) if print_.count is None]
    while turns and len(rows) == len(chosen) < MOST_PICTURES:
        number = turns.pop(0)
        fuller = _rows([*chosen, number], prints, order, size)
        if len(fuller) > len(rows):
            chosen, rows = [*chosen, number], fuller
            turns.append(number)
    placed = _centred(rows, size)
    marks = tuple(segment for item in placed for segment in _marks(item.place)) if order.cut_marks else ()
    return Sheet(width=size[0], height=size[1], placed=placed, marks=marks)


def _rows(
    numbers: Sequence[int], prints: Sequence[Print], order: SheetOrder, size: tuple[float, float]
) -> list[Placed]:
    """As many of the numbered prints as fit, the highest first, from left to right and then downwards."""
    placed: list[Placed] = []
    left, top, row = EDGE, EDGE, 0.0
    for number in sorted(numbers, key=lambda number: (-prints[number].height, number)):
        width, height = prints[number].width, prints[number].height
        if left + width > size[0] - EDGE + ROUNDING and left > EDGE:
            left, top, row = EDGE, top + row + order.gap, 0.0
        if left + width > size[0] - EDGE + ROUNDING or top + height > size[1] - EDGE + ROUNDING:
            continue
        placed.append(Placed(number=number, place=(left, top, left + width, top + height)))
        left, row = left + width + order.gap, max(row, height)
    return placed


def _centred(placed: Sequence[Placed], size: tuple[float, float]) -> tuple[Placed, ...]:
    """The same moved to the middle of the page."""
    right = max((item.place[2] for item in placed), default=0.0)
    bottom = max((item.place[3] for item in placed), default=0.0)
    across, down = (size[0] - EDGE - right) / 2, (size[1] - EDGE - bottom) / 2
    return tuple(Placed(number=item.number, place=_moved(item.place, across, down)) for item in placed)


def _moved(place: Rectangle, across: float, down: float) -> Rectangle:
    left, top, right, bottom = place
    return left + across, top + down, right + across, bottom + down


def _marks(place: Rectangle) -> Iterator[Segment]:
    """Short lines that go on outwards from a picture's edges; where a neighbour lies it covers them."""
    left, top, right, bottom = place
    for x in (left, right):
        yield x, top - MARK_LENGTH, x, top - MARK_DISTANCE
        yield x, bottom + MARK_DISTANCE, x, bottom + MARK_LENGTH
    for y in (top, bottom):
        yield left - MARK_LENGTH, y, left - MARK_DISTANCE, y
        yield right + MARK_DISTANCE, y, right + MARK_LENGTH, y


def sheet_pdf(sheet: Sheet, prints: Sequence[Print]) -> bytes:
    """A PDF page in true millimetres; the pictures' JPEG files go into it as they are."""
    page = PdfPage(
        width=sheet.width,
        height=sheet.height,
        pictures=tuple((prints[item.number].jpeg, item.place) for item in sheet.placed),
        lines=sheet.marks,
        line_width=MARK_WIDTH,
        line_grey=MARK_GREY / 255,
    )
    return pdf_file(page)


def sheet_jpeg(sheet: Sheet, prints: Sequence[Print], dpi: int) -> bytes:
    """The page as a JPEG of that resolution, written in it."""
    canvas = Image.new("RGB", (pixels_of(sheet.width, dpi), pixels_of(sheet.height, dpi)), "white")
    pen = ImageDraw.Draw(canvas)
    for mark in sheet.marks:
        pen.line(
            [pixels_of(side, dpi) for side in mark],
            fill=(MARK_GREY,) * 3,
            width=pixels_of(MARK_WIDTH, dpi) or 1,
        )
    pictures: dict[int, Image.Image] = {}
    for item in sheet.placed:
        left, top = (pixels_of(side, dpi) for side in item.place[:2])
        print_ = prints[item.number]
        size = pixels_of(print_.width, dpi), pixels_of(print_.height, dpi)
        if item.number not in pictures:
            opened = Image.open(io.BytesIO(print_.jpeg))
            pictures[item.number] = (
                opened if opened.size == size else opened.resize(size, Image.Resampling.LANCZOS)
            )
        canvas.paste(pictures[item.number], (left, top))
    stream = io.BytesIO()
    canvas.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0, dpi=(dpi, dpi))
    return stream.getvalue()

"""Sheets to print: every paper, true millimetres, mixed sizes, cut marks beside the pictures."""

from __future__ import annotations

import io
import re
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from studio.errors import SheetTooSmall
from studio.id_photo.sheet import PAPERS, Placed, Print, Sheet, SheetOrder, lay_out, sheet_jpeg, sheet_pdf

POINTS = 72 / 25.4
RED, BLUE = (200, 30, 30), (30, 30, 200)


def print_of(
    width: float, height: float, count: int | None = None, colour: tuple[int, int, int] = RED
) -> Print:
    """A plain picture of that size on paper at 300 dpi."""
    picture = Image.new("RGB", (round(width / 25.4 * 300), round(height / 25.4 * 300)), colour)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, subsampling=0)
    return Print(jpeg=stream.getvalue(), width=width, height=height, count=count)


def overlapping(sheet: Sheet, gap: float) -> list[tuple[Placed, Placed]]:
    """Pairs that are nearer to each other than gap."""
    return [
        (one, other)
        for one, other in combinations(sheet.placed, 2)
        if one.place[0] < other.place[2] + gap - 1e-6
        and other.place[0] < one.place[2] + gap - 1e-6
        and one.place[1] < other.place[3] + gap - 1e-6
        and other.place[1] < one.place[3] + gap - 1e-6
    ]


@pytest.mark.parametrize("gap", [0, 2, 5])
@pytest.mark.parametrize("paper", PAPERS)
def test_pictures_lie_inside_the_paper_apart_and_at_their_size(paper: str, gap: float) -> None:
    sheet = lay_out([print_of(35, 45), print_of(50.8, 50.8)], SheetOrder(paper=paper, gap=gap))
    assert sorted((sheet.width, sheet.height)) == sorted(PAPERS[paper])
    assert overlapping(sheet, gap) == []
    for item in sheet.placed:
        left, top, right, bottom = item.place
        size = (35, 45) if item.number == 0 else (50.8, 50.8)
        assert (right - left, bottom - top) == pytest.approx(size)
        assert min(left, top) >= 0
        assert right <= sheet.width
        assert bottom <= sheet.height
    assert {item.number for item in sheet.placed} == {0, 1}


def test_a_10_by_15_sheet_holds_eight_passport_photos() -> None:
    assert len(lay_out([print_of(35, 45)], SheetOrder(paper="10x15")).placed) == 8


def test_counted_pictures_are_placed_so_often_and_the_others_take_the_rest() -> None:
    sheet = lay_out([print_of(35, 45, count=4), print_of(30, 40)], SheetOrder(paper="13x18"))
    numbers = [item.number for item in sheet.placed]
    assert numbers.count(0) == 4
    assert numbers.count(1) >= 4


def test_more_than_fits_is_refused_with_what_fits() -> None:
    with pytest.raises(SheetTooSmall) as refused:
        lay_out([print_of(35, 45, count=30)], SheetOrder(paper="10x15"))
    assert refused.value.data == {"paper": "10x15", "wanted": 30, "placed": 8}


def test_a_picture_larger_than_the_paper_is_refused() -> None:
    with pytest.raises(SheetTooSmall):
        lay_out([print_of(120, 160)], SheetOrder(paper="10x15"))


@pytest.mark.parametrize("paper", PAPERS)
def test_the_pdf_page_and_its_pictures_are_in_true_millimetres(paper: str) -> None:
    prints = [print_of(35, 45)]
    sheet = lay_out(prints, SheetOrder(paper=paper))
    content = sheet_pdf(sheet, prints)
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert box is not None
    assert [float(side) / POINTS for side in box.groups()] == pytest.approx(
        [sheet.width, sheet.height], abs=1e-3
    )
    drawn = re.findall(rb"q ([\d.]+) 0 0 ([\d.]+) ([\d.]+) ([\d.]+) cm /P0 Do Q", content)
    assert len(drawn) == len(sheet.placed)
    for numbers, item in zip(drawn, sheet.placed, strict=True):
        width, height, left, bottom = (float(number) / POINTS for number in numbers)
        assert (width, height) == pytest.approx((35, 45), abs=1e-3)
        assert (left, sheet.height - bottom) == pytest.approx((item.place[0], item.place[3]), abs=1e-3)


def test_the_pdf_is_sound_and_holds_each_jpeg_once_as_it_is() -> None:
    prints = [print_of(35, 45), print_of(30, 40, colour=BLUE)]
    content = sheet_pdf(lay_out(prints, SheetOrder(paper="a4")), prints)
    assert all(content.count(print_.jpeg) == 1 for print_ in prints)
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    table = content[start:].split(b"\n")
    assert table[0] == b"xref"
    offsets = [int(line[:10]) for line in table[3:] if line.endswith(b" 00000 n ")]
    assert [content[offset:].split(b" ", 1)[0] for offset in offsets] == [
        str(number).encode() for number in range(1, len(offsets) + 1)
    ]
    lengths = re.findall(rb"/Length (\d+) >>\nstream\n", content)
    assert len(lengths) == 1 + len(prints)


def test_the_jpeg_sheet_has_its_resolution_and_the_pictures_at_their_places() -> None:
    prints = [print_of(35, 45)]
    sheet = lay_out(prints, SheetOrder(paper="10x15"))
    opened = Image.open(io.BytesIO(sheet_jpeg(sheet, prints, 300)))
    assert opened.size == (round(sheet.width / 25.4 * 300), round(sheet.height / 25.4 * 300))
    assert opened.info["dpi"] == (300, 300)
    pixels = np.asarray(opened.convert("RGB")).astype(int)
    for item in sheet.placed:
        left, top, right, bottom = (round(side / 25.4 * 300) for side in item.place)
        inner = pixels[top + 2 : bottom - 2, left + 2 : right - 2]
        assert np.abs(inner - RED).max() < 12


def test_cut_marks_lie_beside_the_pictures_and_can_be_left_out() -> None:
    prints = [print_of(35, 45)]
    marked, plain = (lay_out(prints, SheetOrder(paper="a4", cut_marks=marks)) for marks in (True, False))
    assert plain.marks == ()
    assert len(marked.marks) == 8 * len(marked.placed)
    pixels = [np.asarray(Image.open(io.BytesIO(sheet_jpeg(sheet, prints, 150)))) for sheet in (marked, plain)]
    differing = np.abs(pixels[0].astype(int) - pixels[1].astype(int)).max(axis=2) > 40
    assert differing.any()
    for item in marked.placed:
        left, top, right, bottom = (round(side / 25.4 * 150) for side in item.place)
        assert not differing[top + 2 : bottom - 2, left + 2 : right - 2].any()

"""A PDF file of one page with JPEG pictures and lines, in true millimetres (ISO 32000-1).

A JPEG goes into a PDF as it is (filter DCTDecode), so nothing is encoded twice.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

POINTS_PER_MM = 72 / 25.4

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfPage:
    """A page of width by height mm. pictures: RGB JPEG files with left, top, right, bottom in mm from the upper left.

    lines: (x, y, x, y) in mm, drawn below the pictures. line_width: mm. line_grey: 0 for black to 1 for white.
    """

    width: float
    height: float
    pictures: tuple[tuple[bytes, Rectangle], ...]
    lines: tuple[Rectangle, ...] = ()
    line_width: float = 0.15
    line_grey: float = 0.5


def pdf_file(page: PdfPage) -> bytes:
    """The file. A picture that is shown several times is held once."""
    files = list(dict.fromkeys(jpeg for jpeg, _ in page.pictures))
    first_picture = 5
    named = " ".join(f"/P{number} {first_picture + number} 0 R" for number in range(len(files)))
    box = f"0 0 {_points(page.width)} {_points(page.height)}"
    content = _content(page, files).encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R "
        f"/Resources << /XObject << {named} >> >> >>".encode("ascii"),
        _stream("", content),
        *(_picture(jpeg) for jpeg in files),
    ]
    return _assembled(objects)


def _content(page: PdfPage, files: Sequence[bytes]) -> str:
    """Drawing operators; PDF counts upwards from the lower left."""
    lines = [
        f"{_points(x)} {_points(page.height - y)} m {_points(to_x)} {_points(page.height - to_y)} l S"
        for x, y, to_x, to_y in page.lines
    ]
    pictures = [
        f"q {_points(right - left)} 0 0 {_points(bottom - top)} {_points(left)} "
        f"{_points(page.height - bottom)} cm /P{files.index(jpeg)} Do Q"
        for jpeg, (left, top, right, bottom) in page.pictures
    ]
    return "\n".join([f"{page.line_grey:.3f} G {_points(page.line_width)} w", *lines, *pictures])


def _picture(jpeg: bytes) -> bytes:
    width, height = Image.open(io.BytesIO(jpeg)).size
    entries = (
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB "
        "/BitsPerComponent 8 /Filter /DCTDecode "
    )
    return _stream(entries, jpeg)


def _stream(entries: str, content: bytes) -> bytes:
    return f"<< {entries}/Length {len(content)} >>\nstream\n".encode("ascii") + content + b"\nendstream"


def _assembled(objects: Sequence[bytes]) -> bytes:
    """The objects, numbered from 1, between header and cross-reference table."""
    file = io.BytesIO()
    file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(file.tell())
        file.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    table = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    file.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    file.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return file.getvalue()


def _points(millimetres: float) -> str:
    return f"{millimetres * POINTS_PER_MM:.4f}"

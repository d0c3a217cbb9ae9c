"""What an ID photo costs on one core, and a sheet of them to print."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import skimage.data
from PIL import Image

from bench.rows import Row
from studio.faces.process import FaceProcess
from studio.id_photo.making import make_id_photo
from studio.id_photo.reading import IdDocument, read_documents
from studio.id_photo.sheet import Print, SheetOrder, lay_out, sheet_pdf
from studio.intake import decode
from studio.settings import REPOSITORY

PHOTO_LIMIT_SECONDS = 0.4
SHEET_LIMIT_SECONDS = 0.1
PHOTO_SIDE = 1024
DOCUMENT = "kr-resume-35x45"


def measure(_folder: Path, rounds: int) -> list[Row]:
    """Processor seconds from an uploaded file to the checked ID photo; seconds of an A4 sheet as PDF."""
    document = read_documents(REPOSITORY / "presets" / "id")[DOCUMENT]
    with FaceProcess() as faces:
        made = make_id_photo(decode(photo(rounds), "photo.jpg").jpeg, document, faces)
        seconds = statistics.median(photo_seconds(photo(number), document, faces) for number in range(rounds))
    prints = [Print(jpeg=made.jpeg.content, width=document.spec.width, height=document.spec.height)]
    sheet = statistics.median(wall_seconds(lambda: sheet_of(prints)) for _ in range(rounds))
    return [
        Row(
            what="an ID photo",
            ours=f"{seconds:.2f} s",
            plain="",
            value=seconds,
            limit=PHOTO_LIMIT_SECONDS,
            unit=" s",
            note=f"processor seconds, {PHOTO_SIDE} x {PHOTO_SIDE} photo to checked file, background replaced",
        ),
        Row(
            what="an A4 sheet of ID photos, PDF",
            ours=f"{sheet:.4f} s",
            plain="",
            value=sheet,
            limit=SHEET_LIMIT_SECONDS,
            unit=" s",
        ),
    ]


def photo(number: int) -> bytes:
    """The astronaut of scikit-image as a JPEG file of PHOTO_SIDE pixels, each number another file to look at anew."""
    picture = Image.fromarray(skimage.data.astronaut()).resize(
        (PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS
    )
    picture.paste((number, number, number), (0, 0, 16, 16))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def photo_seconds(upload: bytes, document: IdDocument, faces: FaceProcess) -> float:
    """Processor seconds of this process and the one that looks at faces; both hold one thread for numbers."""
    before = processor_seconds(faces)
    make_id_photo(decode(upload, "photo.jpg").jpeg, document, faces)
    return processor_seconds(faces) - before


def processor_seconds(faces: FaceProcess) -> float:
    """User and system seconds so far."""
    pids = [pid for pid in (None, faces.pid) if pid is None or pid]
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(one.user + one.system for one in times))


def sheet_of(prints: list[Print]) -> bytes:
    """An A4 page full of prints."""
    return sheet_pdf(lay_out(prints, SheetOrder(paper="a4")), prints)


def wall_seconds(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

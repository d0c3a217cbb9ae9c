"""What reading and judging a phone photo costs on one core."""

from __future__ import annotations

import io
import statistics
from pathlib import Path

import skimage.data
from PIL import Image

from bench.id_photo import processor_seconds
from bench.rows import Row
from studio.faces.process import FaceProcess
from studio.intake import decode
from studio.intake.verdicts import judge

LIMIT_SECONDS = 0.5
PHONE = (4032, 3024)


def measure(_folder: Path, rounds: int) -> list[Row]:
    """Processor seconds from an uploaded file to its verdict, of the reader and of the process that looks at faces."""
    upload = photo()
    with FaceProcess() as faces:
        seconds_of_work(upload, faces)
        seconds = statistics.median(seconds_of_work(upload, faces) for _ in range(rounds))
    return [
        Row(
            what="a phone photo, read and judged",
            ours=f"{seconds:.2f} s",
            plain="",
            value=seconds,
            limit=LIMIT_SECONDS,
            unit=" s",
            note=f"processor seconds, {PHONE[0]} x {PHONE[1]} JPEG to verdict",
        )
    ]


def photo() -> bytes:
    """The astronaut of scikit-image as a JPEG file of a phone's size."""
    stream = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).resize(PHONE).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def seconds_of_work(upload: bytes, faces: FaceProcess) -> float:
    """Processor seconds for one photo."""
    before = processor_seconds(faces)
    judge(faces.check(decode(upload, "phone.jpg").jpeg))
    return processor_seconds(faces) - before

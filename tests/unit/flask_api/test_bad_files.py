"""Bad files over real HTTP, written as a hostile sender would write them: refused by name, and nothing is lost."""

from __future__ import annotations

import io
import re
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, PngImagePlugin

from studio.service import Studio
from tests.persons import astronaut

BOUNDARY = "sajin-test-boundary"
HUGE = (20_000, 15_000)  # 300 megapixels


def sent(url: str, field: str, *files: tuple[str, bytes]) -> requests.Response:
    """Post a form whose file names stand in it raw: no library cleans them on the way."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename={name}\r\n'.encode()
        + b"Content-Type: image/jpeg\r\n\r\n"
        + content
        + b"\r\n"
        for name, content in files
    ]
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return requests.post(url, data=body, headers={"Content-Type": kind, "Accept-Language": "en"}, timeout=60)


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def huge_jpeg() -> bytes:
    """A JPEG whose header says 300 megapixels: the size in the frame's header (marker C0) is overwritten."""
    small = bytearray(encoded(Image.new("L", (64, 64)), "JPEG"))
    frame = small.index(b"\xff\xc0")
    small[frame + 5 : frame + 9] = struct.pack(">HH", HUGE[1], HUGE[0])
    return bytes(small)


def animated_gif() -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


BAD_FILES = {
    "empty_file": b"",
    "not_a_picture": b"Dear studio, this is only a letter.",
    "truncated_picture": astronaut(1)[0][:4000],
    "unsupported_format": encoded(Image.new("RGB", (64, 64)), "BMP"),
    "animated_picture": animated_gif(),
    "too_many_pixels": encoded(Image.new("1", HUGE), "PNG"),
}
NAMES = {
    "a way up": '"../../../../../../tmp/sajin-escaped.jpg"',
    "a way up, encoded": "x.jpg; filename*=UTF-8''..%2F..%2Fsajin-escaped.jpg",
    "a way up in Windows": r'"..\\..\\sajin-escaped.jpg"',
    "an absolute way": '"/etc/passwd"',
    "a NUL": '"face\0.jpg"',
    "a NUL, encoded": "x.jpg; filename*=UTF-8''face%00.jpg",
    "quotes": '"\\"quoted\\" \'twice\'.jpg"',
    "emoji": '"📷👩‍🚀 사진.jpg"',
    "300 characters": f'"{"x" * 300}.jpg"',
    "a lot of dots": '"...."',
}


@pytest.fixture
def photos(address: str, subject: str) -> str:
    return f"{address}/api/v1/subjects/{subject}/photos"


def files_of(studio: Studio) -> set[Path]:
    return {file for file in (studio.settings.data_folder / "photos").rglob("*") if file.is_file()}


def test_all_bad_files_in_one_upload_are_refused_by_name_and_the_good_ones_around_them_kept(
    photos: str,
) -> None:
    first, last = astronaut(2)
    bad = [(f"{code}.jpg", content) for code, content in BAD_FILES.items()]
    answer = sent(photos, "photos", ("first.jpg", first), *bad, ("huge.jpg", huge_jpeg()), ("last.jpg", last))
    assert answer.status_code == 201
    assert [photo["filename"] for photo in answer.json()["items"]] == ["first.jpg", "last.jpg"]
    refused = {file["filename"]: file["code"] for file in answer.json()["refused"]}
    assert refused == {f"{code}.jpg": code for code in BAD_FILES} | {"huge.jpg": "too_many_pixels"}
    assert all(file["message"] for file in answer.json()["refused"])


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_is_shown_cleaned_and_never_becomes_a_path(photos: str, studio: Studio, name: str) -> None:
    before = files_of(studio)
    answer = sent(photos, "photos", (name, astronaut(1)[0]))
    assert answer.status_code == 201, answer.text
    shown = answer.json()["items"][0]["filename"]
    assert 0 < len(shown) <= 100
    assert not set(shown) & set("/\\\0\"'")
    (kept,) = files_of(studio) - before
    assert re.fullmatch(r"[0-9a-f]{64}\.jpg", kept.name)
    assert not Path("/tmp/sajin-escaped.jpg").exists()


def test_sixty_photos_at_once_are_refused_and_those_before_stay(photos: str, studio: Studio) -> None:
    mine = astronaut(10)
    sent(photos, "photos", ("mine.jpg", mine[0]))
    before, files = requests.get(photos, timeout=60).json(), files_of(studio)
    answer = sent(photos, "photos", *[(f"{number}.jpg", mine[number % 10]) for number in range(60)])
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_photos")
    assert "60" in answer.json()["detail"]
    assert requests.get(photos, timeout=60).json() == before
    assert files_of(studio) == files


@pytest.mark.parametrize(("code", "content"), BAD_FILES.items())
def test_a_bad_pose_picture_is_refused_with_the_reason(address: str, code: str, content: bytes) -> None:
    poses = f"{address}/api/v1/poses"
    before = requests.get(poses, timeout=60).json()
    answer = sent(poses, "picture", ("pose.jpg", content))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_upload")
    assert answer.json()["detail"]
    assert requests.get(poses, timeout=60).json() == before


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_pose_is_titled_by_its_cleaned_name(address: str, name: str) -> None:
    answer = sent(f"{address}/api/v1/poses", "picture", (name, astronaut(1)[0]))
    assert answer.status_code == 201, answer.text
    title = answer.json()["title"]
    assert title
    assert not set(title) & set("/\\\0\"'")


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_has_no_settings_to_restore(address: str, content: bytes) -> None:
    answer = sent(f"{address}/api/v1/images/restore", "picture", ("dropped.png", content))
    assert answer.status_code == 422
    assert answer.json()["code"] in ("bad_upload", "nothing_to_restore")


@pytest.mark.parametrize("seed", ["-1", "4294967296", "9" * 5000, "1.5", "٣"])
def test_a_dropped_picture_with_a_seed_out_of_range_restores_everything_else(address: str, seed: str) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", f"a hat\nSteps: 20, Sampler: Euler a, Seed: {seed}, Size: 64x64")
    picture = encoded(Image.new("RGB", (64, 64)), "PNG", pnginfo=texts)
    answer = sent(f"{address}/api/v1/images/restore", "picture", ("dropped.png", picture))
    assert answer.status_code == 200, answer.text
    assert answer.json()["options"]["seed"] in (None, 3)
    assert answer.json()["options"]["prompt"] == "a hat"


def test_a_dropped_picture_with_a_nul_in_its_prompt_restores_the_rest_of_it(address: str) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("parameters", "a \0hat\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 64x64")
    picture = encoded(Image.new("RGB", (64, 64)), "PNG", pnginfo=texts)
    answer = sent(f"{address}/api/v1/images/restore", "picture", ("dropped.png", picture))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["options"]["prompt"], answer.json()["options"]["seed"]) == ("a hat", 7)


@contextmanager
def locked_by_another_program(file: Path) -> Iterator[None]:
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


def test_a_photo_that_a_locked_database_could_not_take_leaves_no_file_of_a_person(
    photos: str, studio: Studio
) -> None:
    first, second = astronaut(2)
    sent(photos, "photos", ("first.jpg", first))
    before, files = requests.get(photos, timeout=60).json(), files_of(studio)
    with locked_by_another_program(studio.settings.data_folder / "sajin.db"):
        refused = sent(photos, "photos", ("first.jpg", first), ("second.jpg", second))
    assert (refused.status_code, refused.json()["code"]) == (503, "database_locked")
    assert requests.get(photos, timeout=60).json() == before
    assert files_of(studio) == files
    assert sent(photos, "photos", ("second.jpg", second)).status_code == 201

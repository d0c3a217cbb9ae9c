"""Animations as files."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from PIL import Image

from webui_engine.animatediff.files import Film, written
from webui_engine.http.pictures import exif_of, read_texts

TEXT = "a portrait\nSteps: 2, Sampler: Euler"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    frames = [Image.fromarray(np.stack([np.roll(ramp, 8 * n, 1)] * 3, -1)) for n in range(6)]
    film = Film(frames=frames, fps=10, loops=3, infotext=TEXT, exif=exif_of(TEXT))
    return written(film, ["Frame", "WEBM", "WEBP", "PNG", "MP4", "GIF"])


def test_they_come_in_the_order_of_the_extension(files: dict[str, bytes]) -> None:
    assert list(files) == ["GIF", "MP4", "WEBP", "WEBM"]


def test_each_begins_as_its_kind_does(files: dict[str, bytes]) -> None:
    assert files["GIF"][:4] == b"GIF8"
    assert files["MP4"][4:8] == b"ftyp"
    assert (files["WEBP"][:4], files["WEBP"][8:12]) == (b"RIFF", b"WEBP")
    assert files["WEBM"][:4] == b"\x1a\x45\xdf\xa3"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_pictures_in_a_row_have_their_frames_pace_and_loops(files: dict[str, bytes], kind: str) -> None:
    picture = Image.open(io.BytesIO(files[kind]))
    durations = []
    for number in range(picture.n_frames):  # type: ignore[attr-defined]
        picture.seek(number)
        picture.load()
        durations.append(picture.info["duration"])
    assert durations == [100] * 6
    assert picture.info["loop"] == 3


@pytest.mark.parametrize("kind", ["MP4", "WEBM"])
def test_a_film_has_its_frames_pace_and_size(files: dict[str, bytes], kind: str) -> None:
    with av.open(io.BytesIO(files[kind]), "r") as film:
        stream = film.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
        assert stream.average_rate == 10
    assert len(frames) == 6
    assert frames[0].shape == (48, 64, 3)
    assert np.abs(frames[1].astype(int) - frames[0]).mean() > 5


def test_each_carries_the_infotext(files: dict[str, bytes]) -> None:
    assert Image.open(io.BytesIO(files["GIF"])).info["comment"] == TEXT.encode()
    assert read_texts(Image.open(io.BytesIO(files["WEBP"])))[0] == TEXT
    for kind in ("MP4", "WEBM"):
        with av.open(io.BytesIO(files[kind]), "r") as film:
            assert TEXT in {key.lower(): value for key, value in film.metadata.items()}["comment"]

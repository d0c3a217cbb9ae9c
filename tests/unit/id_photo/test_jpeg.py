"""Files within a size: found by quality and subsampling, valid, never padded, or a clear error."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image, JpegImagePlugin

from studio.errors import FileSizeImpossible
from studio.id_photo.documents import Kilobytes
from studio.id_photo.jpeg import jpeg_within

END_OF_IMAGE = b"\xff\xd9"


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """A detailed picture of 413 by 531 pixels."""
    return Image.fromarray(skimage.data.astronaut()).crop((60, 0, 458, 512)).resize((413, 531))


@pytest.mark.parametrize(
    ("least", "most"), [(None, 14), (None, 18), (20, 25), (30, 80), (39, 41), (60, 80), (90, 200)]
)
def test_the_file_is_within_its_limits_and_valid(least: int | None, most: int, picture: Image.Image) -> None:
    limits = Kilobytes(min=least, max=most)
    made = jpeg_within(picture, 300, limits)
    assert limits.least_bytes <= len(made.content) <= limits.most_bytes
    opened = Image.open(io.BytesIO(made.content))
    opened.load()
    assert opened.format == "JPEG"
    assert opened.size == picture.size
    assert opened.info["dpi"] == (300, 300)


@pytest.mark.parametrize("most", [15, 40, 500])
def test_nothing_is_padded(most: int, picture: Image.Image) -> None:
    content = jpeg_within(picture, 300, Kilobytes(max=most)).content
    assert content.endswith(END_OF_IMAGE)
    assert content.count(END_OF_IMAGE) == 1
    opened = Image.open(io.BytesIO(content))
    assert isinstance(opened, JpegImagePlugin.JpegImageFile)
    assert [marker for marker, _ in opened.applist] == ["APP0"]


def test_without_limits_the_colours_are_kept_whole(picture: Image.Image) -> None:
    made = jpeg_within(picture, 300, None)
    assert (made.quality, made.full_colour) == (95, True)
    assert JpegImagePlugin.get_sampling(Image.open(io.BytesIO(made.content))) == 0


def test_of_all_files_that_fit_a_better_one_would_not(picture: Image.Image) -> None:
    limits = Kilobytes(max=30)
    made = jpeg_within(picture, 300, limits)
    stream = io.BytesIO()
    subsampling = 0 if made.full_colour else 2
    picture.save(
        stream, "JPEG", quality=made.quality + 1, subsampling=subsampling, optimize=True, dpi=(300, 300)
    )
    assert len(stream.getvalue()) > limits.most_bytes


def test_a_file_that_cannot_be_so_small_is_refused_with_the_numbers(picture: Image.Image) -> None:
    with pytest.raises(FileSizeImpossible) as refused:
        jpeg_within(picture, 300, Kilobytes(max=3))
    assert int(refused.value.data["smallest"] or 0) > 3000
    assert "another resolution" in str(refused.value)


def test_a_file_that_cannot_be_so_large_is_refused_instead_of_padded() -> None:
    plain = Image.fromarray(np.full((531, 413, 3), 200, dtype=np.uint8))
    with pytest.raises(FileSizeImpossible) as refused:
        jpeg_within(plain, 300, Kilobytes(min=50, max=200))
    assert int(refused.value.data["largest"] or 0) < 50 * 1024

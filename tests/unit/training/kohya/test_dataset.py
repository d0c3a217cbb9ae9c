"""Photos, captions and the TOML file that describes them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.stand_ins.kohya import request_of_three
from training.errors import TrainingFailed
from training.kohya.dataset import DatasetPlan, caption_of, shapes, toml, write_photos
from training.kohya.plan import class_pictures_for
from training.port import TrainingPhoto


def test_crops_come_in_two_shapes_that_no_bucket_has_to_change() -> None:
    assert shapes(512) == ((512, 512), (448, 576))
    assert shapes(1024) == ((1024, 1024), (896, 1152))
    assert shapes(64) == ((64, 64), (64, 64))
    for side in (64, 512, 768, 1024):
        assert all(
            width * height <= side * side and not (width % 64 or height % 64)
            for width, height in shapes(side)
        )


def test_every_crop_has_a_caption_that_says_who_and_then_what_varies(tmp_path: Path) -> None:
    count = write_photos(request_of_three(tmp_path), 128, tmp_path / "photos")

    pictures = sorted((tmp_path / "photos").glob("*.png"))
    assert len(pictures) == count == 6
    assert {Image.open(path).size for path in pictures} == set(shapes(128))
    captions = {path.with_suffix(".txt").read_text("utf-8") for path in pictures}
    assert captions == {"photo of sks woman, orange suit, flag behind\n"}


@pytest.mark.parametrize(
    ("said", "caption"), [("", "photo of sks woman"), ("a\nb ", "photo of sks woman, a b")]
)
def test_a_caption_is_one_line_and_never_empty(said: str, caption: str) -> None:
    assert caption_of(TrainingPhoto(path=Path("x"), box=None, caption=said), "sks", "woman") == caption


def test_the_same_request_writes_the_same_bytes_and_another_seed_other_ones(tmp_path: Path) -> None:
    request = request_of_three(tmp_path)
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_photos(replace(request, seed=seed), 64, tmp_path / name)
    first, again, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).glob("*.png"))] for name in "abc"
    )

    assert first == again
    assert first != other


def test_a_photo_that_is_no_picture_is_told(tmp_path: Path) -> None:
    request = request_of_three(tmp_path)
    request.photos[0].path.write_bytes(b"no picture")
    with pytest.raises(TrainingFailed, match="cannot be read"):
        write_photos(request, 64, tmp_path / "photos")


def test_the_file_says_what_is_learned_and_what_keeps_the_class(tmp_path: Path) -> None:
    plan = DatasetPlan(resolution=512, batch_size=2, repeats=4, class_pictures=tmp_path / 'a "b"' / "woman")
    (dataset,) = tomllib.loads(toml(plan, tmp_path / "사진", "sks woman", "woman"))["datasets"]
    learned, others = dataset["subsets"]

    assert (dataset["resolution"], dataset["batch_size"], dataset["enable_bucket"]) == (512, 2, True)
    assert (learned["image_dir"], learned["num_repeats"]) == (str(tmp_path / "사진"), 4)
    assert learned["caption_extension"] == ".txt"
    assert "is_reg" not in learned
    assert (others["image_dir"], others["class_tokens"]) == (str(tmp_path / 'a "b"' / "woman"), "woman")
    assert others["is_reg"]


def test_pictures_of_the_class_are_those_in_the_folder_of_its_noun(tmp_path: Path) -> None:
    (tmp_path / "woman").mkdir()
    assert class_pictures_for(None, "woman") is None
    assert class_pictures_for(tmp_path, "man") is None
    assert class_pictures_for(tmp_path, "woman") is None
    (tmp_path / "woman" / "1.JPG").touch()
    assert class_pictures_for(tmp_path, "woman") == tmp_path / "woman"

"""`sajin portrait --preset instant…` on the real engine: one photo, nothing learned, and the face is in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.api.test_terminal_job import portrait
from tests.persons import as_jpeg, hopper
from tests.running_studio import RunningStudio


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one photo."""
    folder = tmp_path / "grace"
    folder.mkdir()
    (folder / "me.jpg").write_bytes(hopper(1)[0])
    return folder


@pytest.mark.timeout(300)
def test_one_photo_gives_a_portrait_with_its_face(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, report, said = portrait(
        running_studio, photos, out, "--preset=instant-quick", "--count=1", "--seed=7"
    )
    assert status == 0, said
    assert report["adapter"] is None
    image = report["images"][0]
    assert [stage["name"] for stage in image["stages"]] == ["skeleton", "face"]
    before, after = (np.asarray(Image.open(stage["path"]).convert("RGB")) for stage in image["stages"])
    changed = (before != after).any(axis=2)
    assert 0.02 < changed.mean() < 0.5, "the face was laid on, and the rest was left alone"
    assert image["likeness"] is not None


def test_a_folder_without_a_usable_photo_is_refused_before_anything_is_made(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    (photos / "me.jpg").write_bytes(as_jpeg(Image.new("RGB", (800, 800), "teal")))
    status, report, said = portrait(
        running_studio, photos, tmp_path / "out", "--preset=instant-quick", "--count=1"
    )
    assert status == 1
    assert report["error"]["code"] == "not_enough_photos"
    assert report["job"] is None
    assert "me.jpg" in said


@pytest.mark.timeout(300)
def test_a_likeness_that_is_not_reached_is_said_with_the_picture_that_came_nearest(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    promise = ("--likeness-bar=1", "--likeness-budget=1")
    status, report, said = portrait(
        running_studio, photos, out, "--preset=instant-quick", "--count=1", "--seed=7", *promise
    )
    assert status == 1
    assert report["error"]["code"] == "likeness_not_reached"
    assert report["images"] == []
    assert (report["promise"]["made"], report["promise"]["reached"]) == (1, 0)
    assert 0 < report["promise"]["nearest"] < 1
    assert Image.open(report["promise"]["nearest_path"]).format == "PNG"
    assert "0 of 1 pictures reach a likeness of 1.00" in said

"""`sajin portrait` against the running studio: the whole job, and what it says when it cannot be done."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.persons import hopper
from tests.running_studio import RunningStudio


def portrait(
    studio: RunningStudio, photos: Path, out: Path, *options: str, **settings: Path
) -> tuple[int, dict[str, Any], str]:
    """(exit status, last line of standard output as JSON, standard error). settings: instead of the studio's."""
    command = [
        sys.executable,
        "-m",
        "command_line",
        "portrait",
        "--photos",
        str(photos),
        "--out",
        str(out),
        "--json",
    ]
    given = {"data": studio.settings.data, "api_port": studio.settings.api_port, **settings}
    done = subprocess.run(
        [*command, *options],
        env={**os.environ, **{f"SAJIN_{name.upper()}": str(value) for name, value in given.items()}},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "grace"
    folder.mkdir()
    for number, picture in enumerate(hopper(3)):
        (folder / f"{number}.jpg").write_bytes(picture)
    return folder


@pytest.mark.timeout(300)
def test_the_whole_job_leaves_its_pictures_and_says_so_in_one_line(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, report, said = portrait(
        running_studio,
        photos,
        out,
        "--count=1",
        "--seed=7",
        "--steps=2",
        "--pose=shipped-front",
        "--tone=warm-portrait",
    )
    assert status == 0, said
    assert list(report) == ["job", "adapter", "images", "seconds", "server"]
    assert report["server"]["flavour"] == "sajin"
    image = report["images"][0]
    assert Image.open(image["path"]).size == (image["width"], image["height"])
    assert image["seed"] == 7
    assert 0 <= image["likeness"] <= 1
    assert [stage["name"] for stage in image["stages"]] == ["skeleton", "tone", "upscale"]
    assert all(Image.open(stage["path"]).format == "PNG" for stage in image["stages"])
    assert "demonstration model" in said
    assert "agrees to this use" in said
    words = {stage["name"]: Image.open(stage["path"]).info["parameters"] for stage in image["stages"]}
    assert "warm portrait film" in words["tone"]
    assert "warm portrait film" not in words["skeleton"] + words["upscale"]
    call = f"<lora:{report['adapter']}:"
    repaints = [re.search('ADetailer prompt: "(.*?)"', words[name]) for name in ("skeleton", "tone")]
    assert all(found is not None and call in found[1] for found in repaints), (
        "the face is the learned person's"
    )


@pytest.mark.timeout(300)
def test_a_preset_that_works_from_a_photo_takes_the_first_one(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    status, report, said = portrait(
        running_studio, photos, tmp_path / "out", "--count=1", "--seed=7", "--preset=animal-repaint"
    )
    assert status == 0, said
    assert (report["adapter"], len(report["images"])) == (None, 1)
    job = running_studio.api.get(f"/jobs/{report['job']}")
    kept = running_studio.api.get(f"/face-photos/{job['options']['photo']}")
    assert kept["subject_id"] == job["subject"]


def test_too_few_photos_are_said_before_anything_is_learned(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    (photos / "0.jpg").write_text("no picture")
    status, report, said = portrait(running_studio, photos, tmp_path / "out")
    assert status == 1
    assert report["error"]["code"] == "not_enough_photos"
    assert report["images"] == []
    assert "0.jpg" in said


def test_an_unknown_preset_is_said_before_a_photo_is_sent(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    before = running_studio.api.get("/subjects")
    status, report, _ = portrait(running_studio, photos, tmp_path / "out", "--preset=none")
    assert status == 1
    assert report["error"]["code"] == "not_found"
    assert running_studio.api.get("/subjects") == before


def test_an_unknown_pose_is_said_before_a_photo_is_sent(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    status, report, said = portrait(running_studio, photos, tmp_path / "out", "--pose=none")
    assert status == 1
    assert report["error"]["code"] == "not_found"
    assert "shipped-front" in report["error"]["message"]
    assert "agrees to this use" not in said


def test_a_folder_without_files_cannot_start(running_studio: RunningStudio, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    status, report, said = portrait(running_studio, empty, tmp_path / "out")
    assert status == 2
    assert report["error"]["code"] == "cannot_start"
    assert said.splitlines()[-1] == f"sajin: there are no files in {empty}"


@pytest.mark.timeout(300)
def test_beside_a_webui_a_look_without_identity_is_made_by_a_studio_of_its_own(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    options = (f"--webui={running_studio.engine_url}", "--preset=stranger", "--count=1")
    status, report, said = portrait(
        running_studio, photos, tmp_path / "out", *options, data=tmp_path / "data"
    )
    assert status == 0, said
    assert report["adapter"] is None
    assert len(report["images"]) == 1


def test_beside_a_webui_a_look_that_needs_learning_is_refused_before_a_photo_is_sent(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    webui = f"--webui={running_studio.engine_url}"
    status, report, said = portrait(running_studio, photos, tmp_path / "out", webui, data=tmp_path / "data")
    assert status == 1
    assert report["error"]["code"] == "training_unavailable"
    assert "stranger" in report["error"]["message"]
    assert "agrees to this use" not in said


def test_a_look_that_the_server_cannot_make_is_refused_before_a_photo_is_sent(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    presets = tmp_path / "presets"
    shutil.copytree(running_studio.settings.presets_dir, presets)
    (presets / "repaired.yaml").write_text(
        "extends: stranger\ntitle: {en: Repaired, ko: 복원}\n"
        "stages: {skeleton: {adetailer: [{model: nosuch.pt}]}}\n",
        encoding="utf-8",
    )
    options = (f"--webui={running_studio.engine_url}", "--preset=repaired")
    status, report, said = portrait(
        running_studio, photos, tmp_path / "out", *options, data=tmp_path / "data", presets_dir=presets
    )
    assert status == 1
    assert report["error"]["code"] == "missing_capability"
    assert all(
        part in report["error"]["message"] for part in ("nosuch.pt", "skeleton", running_studio.engine_url)
    )
    assert "agrees to this use" not in said


def test_learning_on_another_checkpoint_than_the_servers_is_refused_before_a_photo_is_sent(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    other, loras = tmp_path / "other.safetensors", tmp_path / "loras"
    other.touch()
    loras.mkdir()
    settings = {"data": tmp_path / "data", "checkpoint": other, "lora_dir": loras}
    webui = f"--webui={running_studio.engine_url}"
    status, report, said = portrait(running_studio, photos, tmp_path / "out", webui, **settings)
    assert status == 1
    assert report["error"]["code"] == "learned_elsewhere"
    assert "sajin-tiny" in report["error"]["message"]
    assert "agrees to this use" not in said


def test_a_server_that_does_not_answer_is_said_before_a_photo_is_sent(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    options = ("--webui=http://127.0.0.1:9/", "--preset=stranger")
    status, report, said = portrait(
        running_studio, photos, tmp_path / "out", *options, data=tmp_path / "data"
    )
    assert status == 1
    assert report["error"]["code"] == "webui_unreachable"
    assert "http://127.0.0.1:9" in report["error"]["message"]
    assert "agrees to this use" not in said


def test_a_second_studio_on_the_same_data_cannot_start(
    running_studio: RunningStudio, photos: Path, tmp_path: Path
) -> None:
    webui = f"--webui={running_studio.engine_url}"
    status, report, _ = portrait(running_studio, photos, tmp_path / "out", webui)
    assert status == 2
    assert "SAJIN_DATA" in report["error"]["message"]

"""`sajin id-photo` as people run it: files, exit status, one line for each mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from studio.settings import REPOSITORY
from tests.unit.id_photo.faces import VARIATIONS, photo


def sajin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_line", "id-photo", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of the astronaut as a file."""
    path = Path(tmp_path_factory.mktemp("photo")) / "me.jpg"
    path.write_bytes(photo(VARIATIONS[1]))
    return path


def test_photos_checks_and_a_mixed_sheet_are_written(portrait: Path, tmp_path: Path) -> None:
    documents = ("--document", "kr-passport", "--document", "kr-resume-3x4")
    done = sajin(str(portrait), *documents, "--sheet", "10x15", "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert [one["document"] for one in report["photos"]] == ["kr-passport", "kr-resume-3x4"]
    for one in report["photos"]:
        assert Image.open(one["path"]).size == (one["width"], one["height"])
        assert Path(one["path"]).stat().st_size == one["bytes"]
        assert Path(one["check"]).is_file()
    assert Path(report["sheet"]["pdf"]).read_bytes().startswith(b"%PDF")
    assert report["sheet"]["pictures"] >= 6
    assert "FAIL  background" in done.stderr
    assert "forbids changes" in done.stderr


def test_a_check_alone_makes_no_photo_and_tells_by_its_exit_status(portrait: Path, tmp_path: Path) -> None:
    done = sajin(str(portrait), "--document", "us-visa", "--check", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "FAIL  proportions" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["us-visa.check.jpg"]


def test_an_unknown_document_is_told_in_one_line(portrait: Path, tmp_path: Path) -> None:
    done = sajin(str(portrait), "--document", "moon-visa", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "there is no document 'moon-visa'; known are: kr-alien-registration" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_photo_without_a_face_is_told_with_its_code(tmp_path: Path) -> None:
    empty = tmp_path / "wall.png"
    Image.new("RGB", (500, 700), (180, 170, 160)).save(empty)
    done = sajin(str(empty), "--document", "kr-passport", "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "no_face"
    assert "No face was found" in done.stderr
    assert "Traceback" not in done.stderr

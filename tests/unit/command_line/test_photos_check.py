"""`sajin photos check` as people run it: without server, for good folders and bad ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.settings import REPOSITORY
from tests.persons import astronaut, hopper


def sajin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_line", "photos", "check", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good photos of one person, one of them twice, a stranger, and a letter."""
    for number, photo in enumerate(astronaut(3)):
        (tmp_path / f"{number}.jpg").write_bytes(photo)
    (tmp_path / "again.jpg").write_bytes(astronaut(1)[0])
    (tmp_path / "stranger.jpg").write_bytes(hopper(1)[0])
    (tmp_path / "letter.jpg").write_text("Dear studio")
    return tmp_path


def test_a_folder_is_judged_captioned_and_coached(folder: Path) -> None:
    done = sajin(str(folder), "--json")
    assert done.returncode == 0, done.stderr
    report = report_of(done)
    photos = {photo["filename"]: photo for photo in report["photos"]}
    assert [photo for photo in photos if photos[photo]["status"] == "unfit"] == ["again.jpg", "stranger.jpg"]
    assert photos["again.jpg"]["reasons"][0]["code"] == "near_duplicate"
    assert photos["again.jpg"]["reasons"][0]["data"] == {"photo": "0.jpg"}
    assert photos["1.jpg"]["caption"].startswith("head and shoulders, facing the camera, smiling, wearing")
    assert photos["1.jpg"]["look"]["expression"] == "smiling"
    assert [file["filename"] for file in report["refused"]] == ["letter.jpg"]
    assert report["set"]["enough"]
    coached = report["coach"]
    assert coached["strangers"] == ["stranger.jpg"]
    assert coached["duplicates"] == [{"best": "0.jpg", "others": ["again.jpg"]}]
    assert coached["wish"]["angle"] == "left"
    assert coached["message"] in done.stderr
    assert "letter.jpg" in done.stderr


def test_too_few_photos_are_told_by_the_exit_status_in_korean_if_wished(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(astronaut(1)[0])
    done = sajin(str(tmp_path), "--language", "ko")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "한 장만 더 있다면" in done.stderr


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    done = sajin(str(tmp_path / "gone"), "--json")
    assert done.returncode == 2
    assert done.stderr == f"sajin: there is no folder {tmp_path / 'gone'}\n"
    assert report_of(done)["error"]["code"] == "cannot_start"


def test_a_file_instead_of_a_folder_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    file = tmp_path / "me.jpg"
    file.write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    assert "is not a folder" in sajin(str(file)).stderr
    assert "there are no files in" in sajin(str(tmp_path / "empty")).stderr


def test_more_files_than_the_studio_takes_are_told_before_any_is_looked_at(tmp_path: Path) -> None:
    for number in range(41):
        (tmp_path / f"{number}.jpg").touch()
    done = sajin(str(tmp_path))
    assert done.returncode == 2
    assert "holds 41 files; at most 40" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").write_bytes(astronaut(1)[0])
    (tmp_path / "secret.jpg").write_bytes(astronaut(1)[0])
    (tmp_path / "secret.jpg").chmod(0)
    report = report_of(sajin(str(tmp_path), "--json"))
    assert [photo["filename"] for photo in report["photos"]] == ["mine.jpg"]
    assert [(file["filename"], file["code"]) for file in report["refused"]] == [("secret.jpg", "unreadable")]

"""What visitors send stays with the pages as long as it is needed, in a folder of their own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gradio_app.pages.studio import photos
from gradio_app.site import Site
from gradio_app.uploads import keep_uploads_in

WHERE = "import sys; from pathlib import Path; from gradio_app.uploads import keep_uploads_in; "


@pytest.fixture
def _same_temporary_folder() -> Iterator[None]:
    before = tempfile.tempdir
    yield
    tempfile.tempdir = before


@pytest.mark.usefixtures("_same_temporary_folder")
def test_what_a_killed_process_left_is_gone_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "uploads" / "gradio" / "abc" / "photo.jpg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"somebody's face")
    keep_uploads_in(tmp_path / "uploads")
    assert list((tmp_path / "uploads").iterdir()) == []
    assert (tmp_path / "uploads").stat().st_mode & 0o077 == 0


def test_gradio_keeps_its_uploads_there(tmp_path: Path) -> None:
    script = (
        WHERE
        + "keep_uploads_in(Path(sys.argv[1])); from gradio.utils import get_upload_folder as at; print(at())"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "own")], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == str(tmp_path / "own" / "gradio")


class OneStudio:
    """An API that takes every photo and knows how many it has."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def add_photo(self, _subject: str, path: Path) -> dict[str, Any]:
        self.taken.append(path.read_bytes())
        return {"refused": []}

    def read(self, _path: str) -> dict[str, Any]:
        return {"items": [], "set": {"enough": False}}


class Words:
    """A site that draws nothing."""

    def __init__(self, api: OneStudio) -> None:
        self.api = api

    def html(self, _template: str, **_values: Any) -> str:
        return ""


def test_two_visitors_may_send_the_same_photo_at_the_same_time(tmp_path: Path) -> None:
    shared = tmp_path / "by-content" / "photo.jpg"
    shared.parent.mkdir()
    shared.write_bytes(b"a face")
    studio = OneStudio()
    step = photos.Photos(
        *[cast(Any, name) for name in ("fold", "verdict", "files", "tiles", "proceed", "notice")]
    )
    visitors = [photos.upload(step, cast(Site, Words(studio)), "anna", [shared, shared]) for _ in range(2)]
    for _ in zip(*visitors, strict=True):
        pass
    assert studio.taken == [b"a face"] * 4

"""Options are kept whole, checked before they are set, and put back after an override."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webui_engine.errors import BadValue, UnknownName, WouldBeIgnored
from webui_engine.http.options import OptionsStore, write_atomically


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "options.json"


def test_what_was_saved_is_there_after_a_restart(file: Path) -> None:
    OptionsStore(file).save({"CLIP_stop_at_last_layers": 2})
    assert OptionsStore(file).effective().clip_skip == 2


def test_an_unknown_option_is_refused_and_nothing_is_saved(file: Path) -> None:
    with pytest.raises(UnknownName):
        OptionsStore(file).save({"jpeg_quality": 50, "no_such_option": 1})
    assert not file.exists()


def test_an_option_of_the_wrong_type_is_refused(file: Path) -> None:
    with pytest.raises(WouldBeIgnored):
        OptionsStore(file).save({"CLIP_stop_at_last_layers": "two"})


def test_a_whole_number_sent_as_a_float_stays_a_whole_number(file: Path) -> None:
    store = OptionsStore(file)
    store.save({"jpeg_quality": 50.0})
    assert json.dumps(store.listed()["jpeg_quality"]) == "50"


def test_what_is_remembered_ends_with_the_process(file: Path) -> None:
    store = OptionsStore(file)
    store.remember({"samples_format": "jpg"})
    assert store.effective().samples_format == "jpg"
    assert OptionsStore(file).effective().samples_format == "png"


def test_an_options_file_that_is_no_json_stops_the_start_by_name(file: Path) -> None:
    file.write_text("{", encoding="utf-8")
    with pytest.raises(BadValue, match=r"options\.json"):
        OptionsStore(file)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.fsync", _full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def _full_disk(_descriptor: int) -> None:
    raise OSError("No space left on device")

"""`sajin models`, as a person runs it, against a hub on this machine that keeps and breaks its word."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from command_line.errors import CannotStart
from command_line.model_table import read_table
from tests.chaos.faults import small_disk
from tests.hub import Hub, HubFile, Pause, Status

MEGABYTE = 1 << 20
REPO, REVISION, FILE = "someone/parts", "main", "tile.safetensors"
KEY = f"{REPO}/{REVISION}/{FILE}"
WEIGHTS = bytes(range(256)) * 4096  # 1 MiB
LARGE = hashlib.sha256(b"large").digest() * (24 * MEGABYTE // 32)
PIECE = 10 * MEGABYTE
"""What the hub's client writes at a time."""


def entry(content: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "name": "tile",
        "what": "ControlNet tile",
        "kind": "ControlNet",
        "repo": REPO,
        "revision": REVISION,
        "file": FILE,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": {"name": "OpenRAIL", "terms": "some uses forbidden", "url": "https://licences.example/"},
        "enables": "the enlarging stage",
        "engine": f"ControlNet/{FILE}",
        "webui": f"models/ControlNet/{FILE}",
        **changes,
    }


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Somebody's terminal: a hub, a table of models and a data folder."""

    hub: Hub
    folder: Path

    @property
    def place(self) -> Path:
        return self.folder / "data" / "models" / "ControlNet" / FILE

    def table(self, *entries: dict[str, Any]) -> None:
        (self.folder / "models.yaml").write_text(yaml.safe_dump(list(entries)))

    def offer(self, content: bytes, **changes: Any) -> HubFile:
        """Put a file on the hub and its entry, with changes, into the table."""
        self.table(entry(content, **changes))
        self.hub.files[KEY] = HubFile(content=content)
        return self.hub.files[KEY]

    def environment(self, **more: str) -> dict[str, str]:
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "SAJIN_"))}
        return {
            **plain,
            "HF_ENDPOINT": self.hub.url,
            "HF_HOME": str(self.folder / "hub"),
            "SAJIN_DATA": str(self.folder / "data"),
            "SAJIN_MODELS_TABLE": str(self.folder / "models.yaml"),
            **more,
        }

    def sajin(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "command_line", "models", *arguments],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def standing_still(self) -> Iterator[subprocess.Popen[bytes]]:
        """A command that has got the first piece of a large model, and gets the rest when the context is left."""
        go_on = threading.Event()
        self.offer(LARGE).troubles.append(Pause(15 * MEGABYTE, go_on))
        with (self.folder / "first.log").open("wb") as log:
            command = subprocess.Popen(
                [sys.executable, "-m", "command_line", "models", "get", "tile"],
                env=self.environment(),
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: any(file.stat().st_size == PIECE for file in self.leftovers()))
            yield command
        finally:
            go_on.set()
            command.wait(30)

    def leftovers(self) -> list[Path]:
        """Every file in the data folder, hidden ones too."""
        return sorted(file for file in (self.folder / "data").rglob("*") if file.is_file())


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Hub() as hub:
        yield Desk(hub=hub, folder=tmp_path)


def test_a_model_is_brought_to_the_engines_folder_and_nothing_else_is_left(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    done = desk.sajin("get", "tile", "--json")
    assert done.returncode == 0, done.stderr
    assert desk.place.read_bytes() == WEIGHTS
    assert desk.leftovers() == [desk.place]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "folder": str(desk.folder / "data" / "models"),
        "models": [
            {
                "name": "tile",
                "path": str(desk.place),
                "state": "downloaded",
                "bytes": len(WEIGHTS),
                "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
                "licence": "OpenRAIL",
            }
        ],
    }


def test_the_licence_is_told_before_anything_is_downloaded(desk: Desk) -> None:
    desk.offer(WEIGHTS).troubles.append(Status(503))
    done = desk.sajin("get", "tile")
    assert "licence: OpenRAIL; some uses forbidden (https://licences.example/)" in done.stderr
    assert desk.leftovers() == []


def test_the_hub_is_asked_for_the_file_only_and_told_nothing_of_this_machine(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    desk.sajin("get", "tile")
    (agent,) = desk.hub.agents.values()
    assert list(desk.hub.agents) == [f"/{REPO}/resolve/{REVISION}/{FILE}"]
    assert "torch" not in agent


def test_what_is_there_already_is_checked_and_not_downloaded_again(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    desk.sajin("get", "tile")
    done = desk.sajin("get", "tile", "--json", HF_ENDPOINT="http://127.0.0.1:9")
    assert json.loads(done.stdout)["models"][0]["state"] == "present"
    assert len(desk.hub.ranges) == 1


def test_a_file_of_other_content_at_its_place_is_never_overwritten(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    desk.place.parent.mkdir(parents=True)
    desk.place.write_bytes(b"x" * len(WEIGHTS))
    done = desk.sajin("get", "tile")
    assert done.returncode == 2
    assert f"{desk.place} is another file than tile" in done.stderr
    assert desk.place.read_bytes() == b"x" * len(WEIGHTS)


def test_a_connection_that_breaks_once_is_taken_up_within_the_run(desk: Desk) -> None:
    desk.offer(LARGE).troubles.append(Pause(15 * MEGABYTE))
    done = desk.sajin("get", "tile")
    assert done.returncode == 0, done.stderr
    assert desk.hub.ranges == ["", f"bytes={PIECE}-"]
    assert desk.place.read_bytes() == LARGE


def test_a_download_that_broke_off_goes_on_in_the_next_run(desk: Desk) -> None:
    desk.offer(LARGE).troubles.extend([Pause(15 * MEGABYTE), Status(503)])
    broken = desk.sajin("get", "tile")
    assert broken.returncode == 1
    assert "tile: the hub answered 503; run the command again, it goes on from what has come" in broken.stderr
    assert not desk.place.exists()
    assert desk.sajin("get", "tile").returncode == 0
    assert desk.hub.ranges[-1] == f"bytes={PIECE}-"
    assert desk.leftovers() == [desk.place]
    assert desk.place.read_bytes() == LARGE


def test_a_download_that_was_killed_goes_on_in_the_next_run(desk: Desk) -> None:
    with desk.standing_still() as command:
        command.kill()
    assert not desk.place.exists()
    assert desk.sajin("get", "tile").returncode == 0
    assert desk.hub.ranges == ["", f"bytes={PIECE}-"]
    assert desk.leftovers() == [desk.place]


def test_two_runs_do_not_write_the_same_file(desk: Desk) -> None:
    with desk.standing_still() as command:
        second = desk.sajin("get", "tile")
        assert second.returncode == 2
        assert "tile is being downloaded to the same place by another process" in second.stderr
    assert command.returncode == 0
    assert desk.place.read_bytes() == LARGE


def test_another_content_than_announced_leaves_nothing_behind_and_says_so(desk: Desk) -> None:
    desk.offer(WEIGHTS).content = WEIGHTS[::-1]
    done = desk.sajin("get", "tile")
    assert done.returncode == 1
    assert f"not {hashlib.sha256(WEIGHTS).hexdigest()}; nothing of it was kept" in done.stderr
    assert desk.leftovers() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"sha256": "0" * 64}, "of SHA-256"), ({"size": 7}, f"of size {len(WEIGHTS)}, the table names 7")],
    ids=["sha256", "size"],
)
def test_a_file_that_is_not_the_tables_is_not_even_begun(
    desk: Desk, changes: dict[str, Any], told: str
) -> None:
    desk.offer(WEIGHTS, **changes)
    done = desk.sajin("get", "tile")
    assert done.returncode == 1
    assert told in done.stderr
    assert desk.hub.ranges == []


def test_where_the_table_knows_no_hash_the_hubs_own_word_is_checked(desk: Desk) -> None:
    file = desk.offer(WEIGHTS, sha256=None, size=None)
    file.content = WEIGHTS[::-1]
    assert desk.sajin("get", "tile").returncode == 1
    assert desk.leftovers() == []
    file.content = WEIGHTS
    assert desk.sajin("get", "tile").returncode == 0
    assert desk.place.read_bytes() == WEIGHTS


def test_what_nobody_vouches_for_is_not_downloaded(desk: Desk) -> None:
    desk.offer(WEIGHTS, sha256=None).announces = False
    done = desk.sajin("get", "tile")
    assert done.returncode == 1
    assert "neither the table nor the hub tells a SHA-256" in done.stderr


def test_a_model_larger_than_the_free_disk_is_refused_before_it_is_begun(desk: Desk) -> None:
    desk.offer(LARGE)
    with small_disk(desk.folder / "data", megabytes=8):
        done = desk.sajin("get", "tile")
        assert desk.leftovers() == []
    assert done.returncode == 2
    assert "25.2 MB are to come and 8.4 MB are free in" in done.stderr
    assert desk.hub.ranges == []


def test_a_disk_that_fills_up_meanwhile_is_one_clear_line_and_the_rest_can_be_got_later(desk: Desk) -> None:
    with small_disk(desk.folder / "data", megabytes=32) as disk:
        with desk.standing_still() as command:
            (disk / "other").write_bytes(bytes(20 * MEGABYTE))
        assert command.returncode == 2
        (disk / "other").unlink()
        assert desk.sajin("get", "tile").returncode == 0
        assert desk.place.read_bytes() == LARGE
    assert desk.hub.ranges[1].startswith("bytes=")
    assert "is full; make room, then run the command again" in (desk.folder / "first.log").read_text()


def test_a_file_the_hub_does_not_have_is_named(desk: Desk) -> None:
    desk.offer(WEIGHTS, file="other.safetensors")
    done = desk.sajin("get", "tile")
    assert done.returncode == 1
    assert f"{desk.hub.url}/{REPO} has no file other.safetensors at main" in done.stderr


def test_a_repository_the_hub_does_not_have_is_named(desk: Desk) -> None:
    desk.offer(WEIGHTS, repo="nobody/nothing")
    done = desk.sajin("get", "tile")
    assert done.returncode == 1
    assert "the hub has no nobody/nothing, or does not show it without HF_TOKEN" in done.stderr


def test_a_gated_model_says_where_to_accept_its_terms_and_comes_with_a_token(desk: Desk) -> None:
    desk.offer(WEIGHTS).gated = True
    done = desk.sajin("get", "tile")
    assert done.returncode == 1
    assert f"accept them at {desk.hub.url}/{REPO}, then set HF_TOKEN" in done.stderr
    assert desk.sajin("get", "tile", HF_TOKEN="hf_someone").returncode == 0
    assert desk.hub.told_to_content == [""]
    assert desk.place.read_bytes() == WEIGHTS


def test_a_hub_that_is_not_there_is_one_line(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    done = desk.sajin("get", "tile", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "http://127.0.0.1:9 cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_webui_gets_it_where_it_looks(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    webui = desk.folder / "stable-diffusion-webui"
    (webui / "models").mkdir(parents=True)
    assert desk.sajin("get", "tile", "--into", str(webui)).returncode == 0
    assert (webui / "models" / "ControlNet" / FILE).read_bytes() == WEIGHTS


def test_a_folder_that_is_no_webui_is_refused(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    done = desk.sajin("get", "tile", "--into", str(desk.folder))
    assert done.returncode == 2
    assert "is not the folder of a WebUI" in done.stderr


def test_what_the_engine_cannot_use_is_not_downloaded_for_it(desk: Desk) -> None:
    desk.offer(WEIGHTS, engine=None)
    done = desk.sajin("get", "tile")
    assert done.returncode == 2
    assert "sajin models get tile --into FOLDER" in done.stderr


def test_an_unknown_name_lists_those_there_are(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    done = desk.sajin("get", "tiles")
    assert done.returncode == 2
    assert "there is no model tiles in the table; there are: tile" in done.stderr


def test_the_list_says_which_models_are_there(desk: Desk) -> None:
    desk.offer(WEIGHTS)
    desk.table(entry(WEIGHTS), entry(WEIGHTS, name="motion", engine=None))
    before = json.loads(desk.sajin("list", "--json").stdout)["models"]
    assert [(model["name"], model["present"]) for model in before] == [("tile", False), ("motion", None)]
    desk.sajin("get", "tile")
    assert json.loads(desk.sajin("list", "--json").stdout)["models"][0]["present"] is True
    told = desk.sajin("list").stdout
    assert "there" in told
    assert "licence: OpenRAIL" in told


@pytest.mark.parametrize(
    "wrong",
    [{"engine": "../outside"}, {"engine": "/etc/passwd"}, {"size": 0}, {"sha256": "abc"}, {"extra": 1}],
    ids=["climbs", "absolute", "no size", "no hash", "unknown key"],
)
def test_a_wrong_table_says_where(tmp_path: Path, wrong: dict[str, Any]) -> None:
    (tmp_path / "models.yaml").write_text(yaml.safe_dump([entry(WEIGHTS, **wrong)]))
    with pytest.raises(CannotStart, match=rf"wrong at 0\.{next(iter(wrong))}"):
        read_table(tmp_path / "models.yaml")


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(yaml.safe_dump([entry(WEIGHTS), entry(WEIGHTS)]))
    with pytest.raises(CannotStart, match="two models called tile"):
        read_table(tmp_path / "models.yaml")

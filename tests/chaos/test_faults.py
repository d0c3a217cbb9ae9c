"""The ground gives way in mid-job: a locked database, a full disk, a folder that cannot be written; nothing is lost.

Real worker and API processes on a real WebUI-shaped HTTP server that paints quickly.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.chaos.conftest import Note
from tests.chaos.faults import filled_up, immutable, in_the_way, locked, read_only, small_disk
from tests.chaos.processes import Keeper, kept_running, wait_for
from tests.persons import astronaut
from tests.running_studio import free_settings
from tests.unit.studio.painting_webui import PaintingWebui

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300), pytest.mark.xdist_group("chaos")]

API_WAIT = 5.0  # what a request waits for the database
WORKER_WAIT = 5.0  # and what each write of a worker does here
STAGES = ("skeleton", "tone")
STORAGE_CODES = ("disk_full", "data_folder_unusable", "database_unusable", "storage_error")
STORAGE_REFUSALS = ((503, "data_folder_unusable"), (503, "database_unusable"))
FINAL = ("succeeded", "failed", "cancelled")
PRESET = """\
title: {en: Quick, ko: 빠른}
identity: none
width: 256
height: 256
prompt: photo of a {subject}
steps: 3
sampler: Euler a
scheduler: Automatic
stages:
  skeleton: {use: txt2img}
  tone: {use: img2img, denoising_strength: 0.4}
"""


class Site:
    """A studio of real processes beside a painting WebUI."""

    def __init__(self, keeper: Keeper, webui: PaintingWebui, note: Note) -> None:
        self.keeper, self.webui, self.note = keeper, webui, note
        self.data = keeper.settings.data_folder
        self._seed = 0

    def order(self, order: dict[str, Any] | None = None, key: str | None = None) -> requests.Response:
        """Send an order; by default one with a seed of its own, of which nothing was made before."""
        self._seed += 1
        body = order or {"preset": "quick", "options": {"seed": 1000 + self._seed}}
        headers = {} if key is None else {"Idempotency-Key": key}
        return requests.post(f"{self.keeper.api}/jobs", json=body, headers=headers, timeout=60)

    def job(self, job_id: str) -> dict[str, Any]:
        state: dict[str, Any] = self.keeper.ask("GET", f"/jobs/{job_id}")
        return state

    def running(self, pause_seconds: float = 3.0) -> str:
        """The id of a new job whose first stage is on the server this moment, and will be for pause_seconds."""
        self.webui.pause_seconds = pause_seconds
        job_id: str = self.order().json()["id"]
        wait_for(lambda: self.webui.active_task, 60, "the first stage to run")
        self.webui.pause_seconds = 0.0
        state = self.job(job_id)
        assert state["status"] == "running"
        self.note(f"job {job_id[:8]} is running, {state['stage']}: now the fault")
        return job_id

    def finished(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (state := self.job(job_id))["status"] not in FINAL:
            assert time.monotonic() < deadline, f"the job does not end: {state}"
            time.sleep(0.1)
        made = dict(self.stages_finished(job_id))
        self.note(f"job {job_id[:8]} {state['status']}: {state['error']}; stages finished: {made}")
        return state

    def stages_finished(self, job_id: str) -> Counter[str]:
        told = self.keeper.told("worker")
        return Counter(
            line["stage"] for line in told if line.get("job") == job_id and line["event"] == "stage finished"
        )

    def stands_still(self, job_id: str) -> bool:
        """Whether the worker has said that nothing of the job could be written down, not even its end."""
        told = self.keeper.told("worker")
        return any(line["event"] == "standing still" and line["work"] == job_id for line in told)


@pytest.fixture(scope="module")
def webui() -> Iterator[PaintingWebui]:
    with PaintingWebui() as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, webui: PaintingWebui, note: Note) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("faults")
    with opened(folder, folder / "data", webui, note) as site:
        yield site


@contextmanager
def opened(folder: Path, data: Path, webui: PaintingWebui, note: Note) -> Iterator[Site]:
    (folder / "presets").mkdir()
    (folder / "presets" / "quick.yaml").write_text(PRESET, encoding="utf-8")
    settings = free_settings(
        data, presets_dir=folder / "presets", webui_urls=(webui.url,), patience_seconds=WORKER_WAIT
    )
    with kept_running(settings, folder / "logs", note) as keeper:
        yield Site(keeper, webui, note)


@pytest.mark.parametrize("name", ["sajin.db", "dbos.db"])
@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_database_locked_for_a_moment_in_mid_job_is_waited_for(site: Site, name: str, how: str) -> None:
    job_id = site.running(pause_seconds=1.0)
    with locked(site.data / name, how):
        time.sleep(3)
    assert site.finished(job_id)["status"] == "succeeded"
    assert site.stages_finished(job_id) == dict.fromkeys(STAGES, 1)


def test_a_job_goes_on_after_a_lock_that_outlasted_all_patience(site: Site) -> None:
    job_id = site.running(pause_seconds=1.0)
    with locked(site.data / "sajin.db"):
        wait_for(lambda: site.stands_still(job_id), WORKER_WAIT * 10, "the end of patience")
        assert site.job(job_id)["status"] == "running"
    assert site.finished(job_id)["status"] == "succeeded"
    assert site.stages_finished(job_id) == dict.fromkeys(STAGES, 1)


def test_an_order_on_a_locked_database_is_refused_after_a_wait_and_can_be_sent_again(site: Site) -> None:
    order = {"preset": "quick", "options": {"seed": 1}}
    with locked(site.data / "sajin.db"):
        started = time.monotonic()
        refused = site.order(order, key="once")
        waited = time.monotonic() - started
    assert (refused.status_code, refused.json()["code"]) == (503, "database_locked")
    assert waited >= API_WAIT
    first, second = (site.order(order, key="once") for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    assert site.finished(first.json()["id"])["status"] == "succeeded"


def test_an_order_on_a_database_locked_for_a_moment_is_taken(site: Site) -> None:
    with ThreadPoolExecutor() as pool:
        with locked(site.data / "sajin.db"):
            answer = pool.submit(site.order)
            time.sleep(API_WAIT / 3)
            assert not answer.done()
        assert answer.result().status_code == 202


def test_an_order_whose_queue_is_locked_is_taken_and_worked_on_afterwards(site: Site) -> None:
    with locked(site.data / "dbos.db"):
        taken = site.order()
        assert taken.status_code == 202
        assert site.job(taken.json()["id"])["status"] == "queued"
    assert site.finished(taken.json()["id"])["status"] == "succeeded"


def test_a_folder_that_became_a_file_fails_the_stage_which_goes_on_when_it_is_a_folder_again(
    site: Site,
) -> None:
    job_id = site.running()
    with in_the_way(site.data / "outputs"):
        failed = site.finished(job_id)
    assert (failed["error"]["code"], failed["error"]["stage"]) == ("data_folder_unusable", "skeleton")
    assert_it_succeeds_when_retried(site, job_id)


def test_a_job_in_a_folder_made_read_only_ends_well_when_it_can_be_written_again(site: Site) -> None:
    job_id = site.running()
    with read_only(site.data):
        wait_for(lambda: has_felt_the_fault(site, job_id), 60, "the job to feel it")
        if site.stands_still(job_id):
            refused = site.order()
            assert (refused.status_code, refused.json()["code"]) in STORAGE_REFUSALS
    assert_it_ends_well(site, job_id)


def test_a_step_that_the_queue_cannot_record_for_a_while_is_recorded_afterwards(site: Site) -> None:
    job_id = site.running()
    with immutable(*site.data.glob("dbos.db*")):
        wait_for(lambda: site.stages_finished(job_id)["skeleton"], 60, "the stage to be finished")
        time.sleep(3)
        assert site.job(job_id)["status"] == "running"
        assert not site.stages_finished(job_id)["tone"]
    assert site.finished(job_id)["status"] == "succeeded"
    assert site.stages_finished(job_id) == dict.fromkeys(STAGES, 1)


@pytest.fixture(scope="module")
def small_site(tmp_path_factory: pytest.TempPathFactory, webui: PaintingWebui, note: Note) -> Iterator[Site]:
    """A studio whose data folder is a small disk of its own."""
    folder = tmp_path_factory.mktemp("small")
    with small_disk(folder / "data", megabytes=24) as data, opened(folder, data, webui, note) as site:
        yield site


def test_a_job_on_a_full_disk_ends_well_when_there_is_room_again(small_site: Site) -> None:
    site = small_site
    job_id = site.running()
    with filled_up(site.data):
        wait_for(lambda: has_felt_the_fault(site, job_id), 60, "the job to feel it")
        refused = site.order()
        assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert_it_ends_well(site, job_id)


def test_photos_sent_to_a_full_disk_are_refused_and_those_before_stay(small_site: Site) -> None:
    site = small_site
    person = {"name": "Anna", "class_noun": "woman", "consent": True}
    photos = f"/subjects/{site.keeper.ask('POST', '/subjects', json=person)['id']}/photos"
    first, second = astronaut(2)
    site.keeper.ask("POST", photos, files={"photos": ("first.jpg", first)})
    before = site.keeper.ask("GET", photos)
    with filled_up(site.data):
        refused = requests.post(
            site.keeper.api + photos, files={"photos": ("second.jpg", second)}, timeout=60
        )
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert site.keeper.ask("GET", photos) == before
    added = site.keeper.ask("POST", photos, files={"photos": ("second.jpg", second)})
    assert [photo["filename"] for photo in added["items"]] == ["second.jpg"]


def has_felt_the_fault(site: Site, job_id: str) -> bool:
    return site.stands_still(job_id) or site.job(job_id)["status"] == "failed"


def assert_it_ends_well(site: Site, job_id: str) -> None:
    """The job goes on by itself, or has failed with a reason of the storage and goes on when it is retried."""
    state = site.finished(job_id)
    if state["status"] == "succeeded":
        assert_the_pictures_are_whole(site, state)
        return
    assert state["error"]["code"] in STORAGE_CODES, state["error"]
    assert_it_succeeds_when_retried(site, job_id)


def assert_it_succeeds_when_retried(site: Site, job_id: str) -> None:
    site.keeper.ask("POST", f"/jobs/{job_id}/retry")
    state = site.finished(job_id)
    assert state["status"] == "succeeded", state["error"]
    assert_the_pictures_are_whole(site, state)


def assert_the_pictures_are_whole(site: Site, job: dict[str, Any]) -> None:
    assert len(job["images"]) == 1
    for file in (site.data / "outputs").rglob("*.png"):
        content = file.read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.stem
        Image.open(io.BytesIO(content)).load()
    assert not list((site.data / "tmp").iterdir()), "an unfinished file was left behind"

"""The worker process: light, alone under its id, and gone without a trace of failure when told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studio.assembly import Foundations
from studio.database.tables import JobRow, WorkerRow
from studio.errors import ExecutorInUse
from studio.records import now
from studio.service import Studio
from studio.settings import REPOSITORY
from studio.values import Failure, JobRequest, Status
from studio.worker.lock import executor_lock
from studio.worker.stopping import Stopping
from studio.worker.watching import Watcher
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool

HEAVY = {"torch", "diffusers", "transformers", "mediapipe", "dlib", "cv2"}
START = """
import sys
from studio.settings import Settings
from studio.worker import run
sys.exit(run(Settings(_env_file=None, data={!r}, webui_urls=("http://127.0.0.1:9",))))
"""


def test_the_worker_imports_no_picture_model_and_no_face_library() -> None:
    script = "import sys, json, studio.worker, training.embedded; print(json.dumps(sorted(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, check=True)
    assert not HEAVY & set(json.loads(told.stdout))


def test_a_second_worker_with_the_same_id_is_refused(tmp_path: Path) -> None:
    with (
        executor_lock(tmp_path, "local"),
        pytest.raises(ExecutorInUse, match="SAJIN_EXECUTOR_ID"),
        executor_lock(tmp_path, "local"),
    ):
        pass
    with executor_lock(tmp_path, "local"):
        pass


def test_a_dead_workers_id_is_free_at_once(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from studio.worker.lock import executor_lock\n"
        f"with executor_lock(Path({str(tmp_path)!r}), 'local'): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    with executor_lock(tmp_path, "local"):
        pass


def test_a_worker_stops_cleanly_on_sigterm_and_keeps_what_waits(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", START.format(str(tmp_path / "data"))], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    try:
        assert worker.stdout is not None
        assert b"worker ready" in worker.stdout.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.communicate()


@pytest.fixture
def watcher(base: Foundations, tmp_path: Path) -> Watcher:
    pool = WebuiPool([WebuiClient("http://127.0.0.1:9")], tmp_path / "locks")
    return Watcher(
        database=base.database, queue=base.queue, pool=pool, executor_id="test", stopping=Stopping()
    )


def test_a_job_that_was_kept_but_never_queued_is_queued_by_the_watcher(
    base: Foundations, studio: Studio, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(base.queue), "put_job", lambda *_: None)
    job = studio.create_job(JobRequest(preset="stranger"))
    monkeypatch.undo()
    assert base.queue.state(f"{job.id}.0") is None
    watcher.look_at_work()
    assert base.queue.state(f"{job.id}.0") == "ENQUEUED"


def test_a_job_the_durable_queue_gave_up_is_failed_with_a_reason(
    base: Foundations, studio: Studio, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = studio.create_job(JobRequest(preset="stranger"))
    monkeypatch.setattr(type(base.queue), "state", lambda *_: "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    watcher.look_at_work()
    failed = studio.job(job.id)
    assert failed.status is Status.FAILED
    assert isinstance(failed.error, Failure)
    assert failed.error.code == "worker_crashed"


def test_a_studio_without_a_living_worker_is_not_ready(
    base: Foundations, studio: Studio, watcher: Watcher
) -> None:
    assert studio.ready().problems == ("worker_not_running", "no_server")
    watcher.look_at_work()
    watcher.look_at_servers()
    assert studio.ready().problems == ("no_server",)
    (server,) = studio.servers()
    assert server.status == "down"
    assert server.problem == "webui_unreachable"
    assert "cannot be reached" in server.details


def test_a_worker_not_heard_of_for_long_counts_as_dead(base: Foundations, studio: Studio) -> None:
    long_ago = now().replace(year=2020)
    with base.database.write() as session:
        session.add(WorkerRow(executor_id="old", pid=1, seen_at=long_ago))
    assert not studio.status().worker_alive


def test_a_server_no_longer_in_the_settings_is_forgotten(
    base: Foundations, studio: Studio, watcher: Watcher
) -> None:
    watcher.look_at_servers()
    pool = WebuiPool([WebuiClient("http://127.0.0.1:10")], base.settings.data_folder / "locks")
    other = Watcher(
        database=base.database, queue=base.queue, pool=pool, executor_id="test", stopping=Stopping()
    )
    other.forget_other_servers()
    assert studio.servers() == ()


def test_the_servers_of_another_worker_that_lives_are_kept_with_their_drain(
    base: Foundations, studio: Studio, watcher: Watcher
) -> None:
    watcher.look_at_work()
    watcher.look_at_servers()
    studio.drain_server("http://127.0.0.1:9")
    pool = WebuiPool([WebuiClient("http://127.0.0.1:10")], base.settings.data_folder / "locks")
    other = Watcher(
        database=base.database, queue=base.queue, pool=pool, executor_id="other", stopping=Stopping()
    )
    other.forget_other_servers()
    assert [server.takes_work for server in studio.servers()] == [False]


def test_waiting_for_what_runs_ends_when_it_is_left() -> None:
    stopping = Stopping()
    stopping.entered()
    assert not stopping.wait_until_idle(0.01)
    stopping.left()
    started = time.monotonic()
    assert stopping.wait_until_idle(10)
    assert time.monotonic() - started < 1


def test_the_row_of_a_waiting_job_is_untouched_by_a_look(
    base: Foundations, studio: Studio, watcher: Watcher
) -> None:
    job = studio.create_job(JobRequest(preset="stranger"))
    watcher.look_at_work()
    with base.database.read() as session:
        row = session.get(JobRow, job.id)
    assert row is not None
    assert row.status == Status.QUEUED

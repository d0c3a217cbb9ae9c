"""Face work in its child process: right answers, a short life, and no harm from its death."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import UnidentifiedImageError

from studio.faces.check import check
from studio.faces.errors import FaceModelMissing, FaceWorkFailed
from studio.faces.process import FaceProcess
from tests.persons import astronaut, hopper


@pytest.fixture(scope="module")
def faces() -> Iterator[FaceProcess]:
    with FaceProcess() as process:
        yield process


def test_the_child_finds_what_is_found_in_process(faces: FaceProcess) -> None:
    photo = astronaut(1)[0]

    assert faces.check(photo) == check(photo)


def test_heavy_libraries_stay_in_the_child(faces: FaceProcess) -> None:
    faces.check(astronaut(1)[0])
    command = "import sys, studio.faces.process; assert not {'mediapipe', 'dlib', 'cv2', 'torch'} & set(sys.modules)"

    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", command]) == 0


def test_a_likeness_is_high_for_the_same_person_and_low_for_another(faces: FaceProcess) -> None:
    photo, *others = astronaut(4)
    same, different = faces.likeness(photo, others), faces.likeness(photo, hopper(3))

    assert (same.measure, different.measure) == ("face", "face")
    assert same.score > 0.9
    assert different.score < 0.35


def test_an_embedding_is_there_only_with_a_face(faces: FaceProcess) -> None:
    embedding = faces.embedding(astronaut(1)[0])

    assert embedding is not None
    assert len(embedding) == 128


def test_an_error_of_the_task_reaches_the_caller_and_the_child_lives_on(faces: FaceProcess) -> None:
    faces.check(astronaut(1)[0])
    child = faces.pid
    with pytest.raises(UnidentifiedImageError):
        faces.check(b"no picture")

    assert faces.pid == child


def test_a_child_that_was_killed_is_replaced_unseen(faces: FaceProcess) -> None:
    faces.check(astronaut(1)[0])
    assert faces.pid is not None
    os.kill(faces.pid, signal.SIGKILL)

    assert len(faces.check(astronaut(1)[0]).faces) == 1


def test_a_child_that_dies_each_time_is_a_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho the library is damaged >&2\nexit 3\n")
    broken.chmod(0o755)
    with FaceProcess(python=str(broken)) as faces, pytest.raises(FaceWorkFailed) as failed:
        faces.check(astronaut(1)[0])

    assert failed.value.task == "check"
    assert "the library is damaged" in failed.value.details


def test_a_child_that_hangs_is_ended_and_a_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexec sleep 60\n")
    broken.chmod(0o755)
    with (
        FaceProcess(python=str(broken), timeout_seconds=0.2) as faces,
        pytest.raises(FaceWorkFailed) as failed,
    ):
        faces.check(astronaut(1)[0])

    assert "0.2 s" in str(failed.value)
    assert faces.pid is None


def test_a_missing_model_file_is_told_across_the_processes() -> None:
    told = pickle.loads(pickle.dumps(FaceModelMissing("mediapipe", "face.tflite")))

    assert (str(told), told.package) == (str(FaceModelMissing("mediapipe", "face.tflite")), "mediapipe")


def test_many_threads_take_turns(faces: FaceProcess) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(faces.check, astronaut(4)))

    assert [len(findings.faces) for findings in found] == [1, 1, 1, 1]


def test_an_idle_child_ends_by_itself() -> None:
    with FaceProcess(idle_seconds=0.1) as faces:
        faces.check(astronaut(1)[0])
        deadline = time.monotonic() + 10
        while faces.pid is not None and time.monotonic() < deadline:
            time.sleep(0.02)

        assert faces.pid is None


def test_the_child_ends_with_its_parent() -> None:
    script = (
        "import os, sys\n"
        "from studio.faces.process import FaceProcess\n"
        "from tests.persons import astronaut\n"
        "faces = FaceProcess()\n"
        "faces.check(astronaut(1)[0])\n"
        "print(faces.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    import subprocess

    child = int(
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True).stdout
    )
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not Path(f"/proc/{child}").exists()

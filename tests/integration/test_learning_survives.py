"""The embedded trainer's child process: it can be killed, cancelled and left behind, and never leaves half a file."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from safetensors import safe_open

from tests.persons import astronaut
from tests.unit.webui_engine.small_models import save_small_checkpoint
from training.embedded import EmbeddedTrainer
from training.errors import TrainingCancelled, TrainingFailed
from training.port import TrainingPhase, TrainingPhoto, TrainingProgress, TrainingRequest

LONG = 100_000
TRAINER = EmbeddedTrainer(threads=1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "small"
    save_small_checkpoint(folder)
    return folder


@pytest.fixture
def request_of_one(tmp_path: Path, checkpoint: Path) -> TrainingRequest:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(astronaut(1, side=300)[0])
    return TrainingRequest(
        photos=(TrainingPhoto(path=photo, box=None),),
        checkpoint=checkpoint,
        instance_token="sks",
        class_noun="woman",
        output=tmp_path / "loras" / "learned.safetensors",
        work_folder=tmp_path / "work",
        steps=6,
        batch_size=1,
        rank=2,
    )


def _ignore(progress: TrainingProgress) -> None:
    pass


def _never() -> bool:
    return False


def _children() -> set[int]:
    return {
        child.pid for child in psutil.Process().children() if "training.embedded" in " ".join(child.cmdline())
    }


def _wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_training_killed_in_mid_learning_goes_on_and_gives_one_whole_file(
    request_of_one: TrainingRequest,
) -> None:
    """The kept state is awaited, not timed; the second call must start beyond the first step."""
    state = request_of_one.work_folder / "state.pt"

    def kill_when_kept(progress: TrainingProgress) -> None:
        if progress.phase is TrainingPhase.LEARNING and state.exists():
            for child in _children():
                os.kill(child, signal.SIGKILL)

    with pytest.raises(TrainingFailed) as failed:
        TRAINER.train(replace(request_of_one, steps=LONG), kill_when_kept, _never)
    assert "signal 9" in failed.value.reason
    assert not request_of_one.output.exists()

    first: list[int] = []

    def note(progress: TrainingProgress) -> None:
        if progress.phase is TrainingPhase.LEARNING:
            first.append(progress.step)

    with pytest.raises(TrainingCancelled):
        TRAINER.train(replace(request_of_one, steps=LONG), note, lambda: bool(first))

    assert first[0] > 1


def test_a_whole_training_leaves_its_file_with_its_candidates_and_nothing_else(
    request_of_one: TrainingRequest,
) -> None:
    adapter = TRAINER.train(request_of_one, _ignore, _never)

    assert adapter.path == request_of_one.output
    kept = {adapter.path, *(candidate.path for candidate in adapter.candidates)}
    assert set(request_of_one.output.parent.iterdir()) == kept
    assert not request_of_one.work_folder.exists()
    assert not _children()
    with safe_open(adapter.path, framework="np") as stream:
        assert stream.metadata()["ss_steps"] == "6"


def test_a_training_that_was_let_go_of_goes_on_when_it_is_called_again(
    request_of_one: TrainingRequest,
) -> None:
    state = request_of_one.work_folder / "state.pt"
    with pytest.raises(TrainingCancelled):
        TRAINER.train(replace(request_of_one, steps=LONG), _ignore, state.exists)
    first: list[int] = []

    def note(progress: TrainingProgress) -> None:
        if progress.phase is TrainingPhase.LEARNING:
            first.append(progress.step)

    with pytest.raises(TrainingCancelled):
        TRAINER.train(replace(request_of_one, steps=LONG), note, lambda: bool(first))

    assert first[0] > 1


def test_a_cancelled_training_ends_within_two_seconds_and_leaves_no_adapter(
    request_of_one: TrainingRequest,
) -> None:
    asked_at: list[float] = []

    def note(progress: TrainingProgress) -> None:
        if progress.phase is TrainingPhase.LEARNING:
            asked_at.append(time.monotonic())

    with pytest.raises(TrainingCancelled):
        TRAINER.train(replace(request_of_one, steps=LONG), note, lambda: bool(asked_at))

    assert time.monotonic() - asked_at[0] < 2
    assert not _children()
    assert not request_of_one.output.exists()


def test_a_broken_checkpoint_is_a_clear_failure(request_of_one: TrainingRequest, tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a model at all" * 100)

    with pytest.raises(TrainingFailed) as failed:
        TRAINER.train(replace(request_of_one, checkpoint=broken), _ignore, _never)

    assert "broken.safetensors" in failed.value.reason
    assert failed.value.remedy
    assert not request_of_one.output.exists()


def test_the_child_ends_with_its_parent(request_of_one: TrainingRequest, tmp_path: Path) -> None:
    script = (
        "import os, pickle, sys\n"
        "import psutil\n"
        "from training.embedded import EmbeddedTrainer\n"
        "def die(progress):\n"
        "    print(*(child.pid for child in psutil.Process().children()), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "EmbeddedTrainer(threads=1).train(pickle.load(open(sys.argv[1], 'rb')), die, lambda: False)\n"
    )
    pickled = tmp_path / "request"
    pickled.write_bytes(pickle.dumps(replace(request_of_one, steps=LONG)))
    parent = subprocess.run(
        [sys.executable, "-c", script, pickled], capture_output=True, text=True, check=False
    )
    (child,) = (int(pid) for pid in parent.stdout.split())

    _wait_until(
        lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    )


def test_importing_the_trainer_does_not_load_torch() -> None:
    command = "import sys, training.embedded; assert not {'torch', 'diffusers', 'numpy'} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", command], check=True)

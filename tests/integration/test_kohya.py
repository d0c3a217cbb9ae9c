"""The kohya trainer against a stand-in of sd-scripts: real processes that end well, fail, hang, and are killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from tests.stand_ins.kohya import behave, install, request_of_three, write_checkpoint
from training.errors import TrainerObstacle, TrainerUnusable, TrainingCancelled, TrainingFailed
from training.kohya import Installation, KohyaTrainer
from training.port import TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest

EPOCH = 6  # three photos, two crops of each
SLOW = 0.05
GROUP = 3  # the leash, sd-scripts, a data loader


@dataclass
class Course:
    """A trainer, what it is asked, and what it told."""

    installation: Installation
    request: TrainingRequest
    patience_seconds: float = 60.0
    class_pictures: Path | None = None
    told: list[TrainingProgress] = field(default_factory=list)

    def run(self, until: Callable[[TrainingProgress], bool] = lambda _: False) -> TrainedAdapter:
        """Learn; cancelled at the first progress that until likes."""
        self.told.clear()
        trainer = KohyaTrainer(self.installation, self.class_pictures, self.patience_seconds)
        return trainer.train(self.request, self.told.append, lambda: any(map(until, self.told)))

    def fail(self) -> TrainingFailed:
        with pytest.raises(TrainingFailed) as failed:
            self.run()
        assert not self.request.output.exists()
        assert failed.value.remedy
        return failed.value

    def processes(self) -> list[int]:
        """What runs of sd-scripts, its leash and its data loaders."""
        return [
            process.pid
            for process in psutil.Process().children(recursive=True)
            if str(self.installation.folder) in " ".join(process.cmdline())
        ]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(install(tmp_path / "sd-scripts"), request_of_three(tmp_path))


def learned(progress: TrainingProgress) -> bool:
    return progress.phase is TrainingPhase.LEARNING and progress.step > 0


def beyond(step: int) -> Callable[[TrainingProgress], bool]:
    return lambda progress: progress.step > step


def test_a_whole_training_leaves_the_adapter_and_a_candidate_for_each_epoch(course: Course) -> None:
    adapter = course.run()

    assert (adapter.path, adapter.steps) == (course.request.output, 24)
    assert [candidate.steps for candidate in adapter.candidates] == [6, 12, 18]
    names = ["learned-000001", "learned-000002", "learned-000003", "learned"]
    assert sorted(path.stem for path in adapter.path.parent.iterdir()) == sorted(names)
    assert not course.request.work_folder.exists()
    assert course.processes() == []


def test_the_adapter_names_the_trigger_and_neither_photo_folder_nor_caption(course: Course) -> None:
    adapter = course.run()

    for path in (adapter.path, *(candidate.path for candidate in adapter.candidates)):
        with safe_open(path, framework="np") as stream:
            about = stream.metadata()
        assert about["modelspec.trigger_phrase"] == "sks woman"
        assert json.loads(about["ss_tag_frequency"]) == {"sks woman": {"sks woman": 6}}
        content = path.read_bytes()
        assert not [word for word in (b"suit", b"photos", b".png", b"loras") if word in content]


def test_progress_goes_through_every_phase_and_never_back(course: Course) -> None:
    behave(course.installation, step_seconds=SLOW)
    course.run()

    assert list(dict.fromkeys(progress.phase for progress in course.told)) == list(TrainingPhase)
    fractions = [progress.fraction for progress in course.told]
    assert fractions == sorted(fractions)
    learning = [progress for progress in course.told if learned(progress)]
    assert {progress.steps for progress in learning} == {24}
    assert all(0.1 < progress.loss < 0.3 for progress in learning if progress.loss is not None)
    assert any(progress.eta_seconds is not None for progress in learning)


def test_cancelling_ends_the_whole_group_and_leaves_no_adapter(course: Course) -> None:
    behave(course.installation, step_seconds=SLOW)
    seen: list[int] = []

    def when_learning(progress: TrainingProgress) -> bool:
        if learned(progress) and len(seen) < GROUP:
            seen[:] = course.processes()
        return len(seen) == GROUP

    with pytest.raises(TrainingCancelled):
        course.run(until=when_learning)

    assert all(map(soon_gone, seen))
    assert not course.request.output.exists()


def test_a_training_that_was_let_go_of_goes_on_when_it_is_called_again(course: Course) -> None:
    behave(course.installation, step_seconds=SLOW)
    with pytest.raises(TrainingCancelled):
        course.run(until=beyond(EPOCH + 1))
    adapter = course.run()

    assert min(progress.step for progress in course.told if learned(progress)) >= EPOCH
    assert adapter.steps == 24


def test_a_training_killed_in_mid_learning_goes_on_and_ends_with_the_same_adapter(
    course: Course, tmp_path: Path
) -> None:
    whole = replace(course.request, output=tmp_path / "whole.safetensors", work_folder=tmp_path / "other")
    expected = replace(course, request=whole, told=[]).run()
    behave(course.installation, killed_at=2 * EPOCH + 3)
    assert "signal 9" in course.fail().reason
    behave(course.installation, step_seconds=SLOW)

    adapter = course.run()

    first = min(progress.step for progress in course.told if learned(progress))
    assert 2 * EPOCH <= first < 2 * EPOCH + 3, "it goes on after the last whole epoch"
    assert adapter.steps == 24
    assert [candidate.steps for candidate in adapter.candidates] == [6, 12, 18]
    wanted, found = load_file(expected.path), load_file(adapter.path)
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


def test_a_state_that_was_being_written_when_the_machine_stopped_is_not_gone_on_from(course: Course) -> None:
    behave(course.installation, killed_in_state=2)
    course.fail()
    behave(course.installation, step_seconds=SLOW)
    course.run()

    first = min(progress.step for progress in course.told if learned(progress))
    assert EPOCH <= first < 2 * EPOCH, "it goes on after the first epoch, as the second's state is not whole"


def test_what_was_learned_of_other_photos_is_not_gone_on_from(course: Course) -> None:
    behave(course.installation, killed_at=2 * EPOCH + 3)
    course.fail()
    behave(course.installation)
    course.request = replace(course.request, photos=course.request.photos[:2])

    assert [candidate.steps for candidate in course.run().candidates] == [4, 8, 12, 16, 20]


def test_photos_that_disappear_are_a_failure_although_sd_scripts_says_that_all_is_well(
    course: Course,
) -> None:
    behave(course.installation, lose_photos=1)
    assert "no training pictures" in course.fail().reason


def test_one_photo_that_disappears_is_noticed(course: Course) -> None:
    behave(course.installation, lose_photos=4)
    assert "3 of 6" in course.fail().reason


def test_a_photo_that_is_gone_before_the_start_is_told(course: Course) -> None:
    course.request.photos[1].path.unlink()
    assert "not there any more" in course.fail().reason


def test_a_loss_that_is_no_number_ends_the_training_at_once(course: Course) -> None:
    behave(course.installation, step_seconds=SLOW, nan_from=5)
    failure = course.fail()

    assert "step 5" in failure.reason
    assert "learning rate" in failure.remedy
    assert course.processes() == []


def test_weights_that_are_no_numbers_are_not_delivered(course: Course) -> None:
    behave(course.installation, bad_weights=True)
    assert "no numbers" in course.fail().reason


@pytest.mark.parametrize("how", ["unfinished", "cut_off"])
def test_a_run_that_ends_well_without_a_whole_file_is_a_failure(course: Course, how: str) -> None:
    behave(course.installation, **{how: True})
    assert "without a finished LoRA" in course.fail().reason


def test_too_little_memory_on_the_card_is_told_with_the_log(course: Course) -> None:
    behave(course.installation, out_of_memory_at=3)
    failure = course.fail()

    assert "too little memory" in failure.reason
    assert "Tried to allocate" in failure.details
    assert "it/s" not in failure.details


def test_a_full_disk_while_saving_leaves_no_half_adapter(course: Course) -> None:
    behave(course.installation, no_room_at_epoch=2)
    failure = course.fail()

    assert failure.reason == "There is no room left on the disk."
    assert not course.request.output.parent.exists()


def test_a_run_that_hangs_is_ended(course: Course) -> None:
    behave(course.installation, hangs_at=4)
    course.patience_seconds = 2.0
    failure = course.fail()

    assert "no progress" in failure.reason
    assert course.processes() == []


def test_sdxl_is_learned_by_its_own_script_in_the_u_net_alone(course: Course, tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "xl.safetensors", block=4, width=2048)
    course.request = replace(course.request, checkpoint=checkpoint)
    with safe_open(course.run().path, framework="np") as stream:
        assert stream.metadata()["ss_base_model_version"] == "sdxl_base_v1-0"


def test_pictures_of_the_class_double_an_epoch(course: Course, tmp_path: Path) -> None:
    others = tmp_path / "class" / "woman"
    others.mkdir(parents=True)
    for photo in course.request.photos:
        (others / photo.path.name).write_bytes(photo.path.read_bytes())
    course.class_pictures = others.parent

    assert [candidate.steps for candidate in course.run().candidates] == [12]


def test_a_card_that_others_fill_is_found_out_before_the_start(course: Course) -> None:
    behave(course.installation, gpu=[2_000_000_000, 24_000_000_000])
    failure = course.fail()

    assert "2.0 GB free of 24.0 GB" in failure.reason
    assert course.told == []


def test_a_python_that_cannot_run_sd_scripts_says_what_it_lacks(course: Course) -> None:
    (course.installation.folder / "torch.py").write_text("import a_package_that_nobody_has", encoding="utf-8")
    failure = course.fail()

    assert isinstance(failure, TrainerUnusable)
    assert failure.obstacle is TrainerObstacle.PYTHON_MISSING
    assert "a_package_that_nobody_has" in failure.reason


def test_two_trainings_in_one_folder_do_not_mix(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.kohya.work.LOCK_PATIENCE_SECONDS", 0.2)
    behave(course.installation, step_seconds=SLOW)
    second: list[TrainingFailed] = []

    def try_another(progress: TrainingProgress) -> bool:
        if learned(progress) and not second:
            second.append(replace(course, told=[]).fail())
        return False

    course.run(until=try_another)

    assert second[0].reason == "The training is running already."


def test_sd_scripts_and_its_loaders_end_with_a_trainer_that_is_killed(course: Course, tmp_path: Path) -> None:
    behave(course.installation, step_seconds=SLOW)
    script = (
        "import os, pickle, sys\n"
        "import psutil\n"
        "from training.kohya import KohyaTrainer\n"
        "def die(progress):\n"
        "    if progress.step:\n"
        "        print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "installation, request = pickle.load(open(sys.argv[1], 'rb'))\n"
        "KohyaTrainer(installation).train(request, die, lambda: False)\n"
    )
    pickled = tmp_path / "request"
    pickled.write_bytes(pickle.dumps((course.installation, course.request)))
    parent = subprocess.run(
        [sys.executable, "-c", script, pickled], capture_output=True, text=True, check=False
    )
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    pids = [int(pid) for pid in parent.stdout.split()]
    assert len(pids) == 3

    deadline = time.monotonic() + 30
    while any(map(alive, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def soon_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process that was killed has ended; the kernel takes its time on a busy machine."""
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False

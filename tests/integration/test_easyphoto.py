"""The EasyPhoto trainer against a stand-in of the extension: success, refusals, lost answers, restarts and cancels."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from tests.persons import astronaut
from tests.replay import Asked, ReplayServer, Reply
from tests.stand_ins.easyphoto import CHECKPOINT, EasyPhotoServer
from training.easyphoto import EasyPhotoTrainer, Limits
from training.easyphoto.attempt import Attempt, kept_attempt
from training.errors import TrainerUnusable, TrainingCancelled, TrainingFailed
from training.port import TrainedAdapter, TrainingPhase, TrainingPhoto, TrainingProgress, TrainingRequest
from webui_client.client import WebuiClient
from webui_client.easyphoto import TRIGGER
from webui_client.pool import WebuiPool

ENOUGH = 10.0


@dataclass
class Course:
    """A trainer, what it is asked, and what it told."""

    server: EasyPhotoServer
    pool: WebuiPool
    request: TrainingRequest
    limits: Limits = field(default_factory=lambda: Limits(limit=60, patience=0.6, look=0.05))
    told: list[TrainingProgress] = field(default_factory=list)

    def run(self, cancelled: Callable[[], bool] = lambda: False) -> TrainedAdapter:
        trainer = EasyPhotoTrainer(self.pool, self.loras(self.server.loras), self.limits)
        return trainer.train(self.request, self.told.append, cancelled)

    def loras(self, folder: Path) -> dict[str, Path]:
        return {client.url: folder for client in self.pool.clients}

    def fail(self) -> TrainingFailed:
        with pytest.raises(TrainingFailed) as failed:
            self.run()
        assert not self.request.output.exists()
        assert kept_attempt(self.request.work_folder) is None, "the next call must ask anew"
        assert failed.value.remedy
        return failed.value

    def made(self) -> list[Path]:
        return list(self.server.loras.iterdir())

    def lose(self) -> Attempt:
        """Ask, and let go of it while EasyPhoto is at work, as a worker that is killed does."""
        self.server.open.clear()
        with pytest.raises(TrainingCancelled):
            self.run(cancelled=self.server.asked.is_set)
        kept = kept_attempt(self.request.work_folder)
        assert kept is not None
        return kept


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    loras = tmp_path / "webui" / "Lora"
    loras.mkdir(parents=True)
    with ReplayServer() as webui:
        server = EasyPhotoServer(webui, loras)
        pool = WebuiPool([WebuiClient(webui.url)], tmp_path / "locks")
        yield Course(server, pool, request_of_three(tmp_path))
        server.open.set()


def request_of_three(folder: Path) -> TrainingRequest:
    photos = []
    for number, data in enumerate(astronaut(3, side=300)):
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        photos.append(TrainingPhoto(path=path, box=None))
    return TrainingRequest(
        photos=tuple(photos),
        checkpoint=folder / f"{CHECKPOINT}.safetensors",
        instance_token="sks",
        class_noun="woman",
        output=folder / "learned" / "adapter.safetensors",
        work_folder=folder / "learned" / "work",
    )


def free_again(pool: WebuiPool) -> bool:
    deadline = time.monotonic() + ENOUGH
    while pool.is_busy(pool.clients[0]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not pool.is_busy(pool.clients[0])


def test_a_training_brings_the_lora_and_leaves_nothing_in_the_servers_folder(course: Course) -> None:
    adapter = course.run()

    assert (adapter.path, adapter.steps, adapter.trigger) == (course.request.output, 600, TRIGGER)
    with safe_open(adapter.path, framework="np") as stream:
        about = stream.metadata()
    assert about["modelspec.trigger_phrase"] == TRIGGER
    assert "ss_dataset_dirs" not in about
    assert course.made() == []
    assert not course.request.work_folder.exists()


def test_easyphoto_is_asked_for_a_new_id_and_upright_rgb_photos_and_names_nobody(course: Course) -> None:
    course.run()
    course.run()

    first, second = course.server.bodies()
    assert first["user_id"] != second["user_id"]
    assert first["sd_model_checkpoint"] == f"{CHECKPOINT}.safetensors"
    assert first["train_mode_choose"] == "Train Human Lora"
    assert not {"rank", "learning_rate", "max_train_steps"} & first.keys(), "left to EasyPhoto"
    assert "sks" not in first["user_id"]
    assert [(picture.format, picture.mode) for picture in course.server.pictures()] == [("JPEG", "RGB")] * 3


def test_the_steps_asked_for_are_those_that_easyphoto_makes(course: Course) -> None:
    course.request = replace(course.request, steps=100, rank=8)

    assert course.run().steps == 100
    (body,) = course.server.bodies()
    assert (body["max_train_steps"], body["steps_per_photos"]) == (100, 34)
    assert body["network_alpha"] <= body["rank"] == 8


def test_progress_is_by_the_clock_and_claims_no_steps(course: Course) -> None:
    course.server.open.clear()
    threading.Timer(1.2, course.server.open.set).start()
    course.run()

    learning = [told for told in course.told if told.phase is TrainingPhase.LEARNING]
    assert learning
    assert {(told.step, told.steps) for told in learning} == {(0, 0)}
    assert all(0 <= told.fraction < 0.01 for told in learning)
    assert all(told.eta_seconds is not None and told.eta_seconds > 1000 for told in learning)
    assert course.told[-1].phase is TrainingPhase.SAVING


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Failed to obtain preprocessed images, please check the preprocessing process.", "no face"),
        ("Failed to obtain Lora after training, please check the training process.", "without a LoRA"),
        ("User id non-repeatability.", "id already"),
        ("EasyPhoto does not support the SD2 checkpoint: v2-1.", "Stable Diffusion 2"),
        ("Train error, error info:CUDA out of memory", "CUDA out of memory"),
        ("The training has been completed", "did not finish"),
        ("User id 不能重复。", "不能重复"),
    ],
)
def test_a_failure_with_status_200_is_a_failure(course: Course, message: str, told: str) -> None:
    course.server.says = message
    failure = course.fail()

    assert told in failure.reason
    assert failure.details == message
    assert free_again(course.pool)


def test_no_photos_are_told_before_the_server_is_asked(course: Course) -> None:
    course.request = replace(course.request, photos=())
    assert "no photos" in course.fail().reason
    assert course.server.bodies() == []


def test_photos_that_are_gone_or_are_none_are_told(course: Course) -> None:
    course.request.photos[1].path.write_bytes(b"no picture")
    assert "cannot be read" in course.fail().reason
    course.request.photos[1].path.unlink()
    assert "1.jpg is not there any more" in course.fail().reason
    assert course.server.bodies() == []


def test_a_server_without_easyphoto_is_told(course: Course) -> None:
    course.server.webui.without("/easyphoto/easyphoto_train_forward")
    assert isinstance(course.fail(), TrainerUnusable)


def test_a_checkpoint_that_the_server_has_not_is_told_before_it_is_asked(course: Course) -> None:
    course.request = replace(course.request, checkpoint=Path("other.safetensors"))
    assert "no checkpoint named 'other'" in course.fail().reason
    assert course.server.bodies() == []


def test_success_without_a_lora_is_a_failure(course: Course) -> None:
    course.server.writes = False
    assert "no LoRA" in course.fail().reason


def test_a_lora_in_another_folder_than_ours_is_told_with_the_setting(course: Course, tmp_path: Path) -> None:
    trainer = EasyPhotoTrainer(course.pool, course.loras(tmp_path / "elsewhere"), course.limits)
    with pytest.raises(TrainingFailed, match="SAJIN_LORA_DIR"):
        trainer.train(course.request, course.told.append, lambda: False)


def test_a_server_whose_lora_folder_is_not_known_is_not_asked(course: Course) -> None:
    trainer = EasyPhotoTrainer(course.pool, {"http://127.0.0.1:9": course.server.loras}, course.limits)
    with pytest.raises(TrainingFailed, match="SAJIN_LORA_DIRS"):
        trainer.train(course.request, course.told.append, lambda: False)
    assert not course.server.asked.is_set()


def test_a_training_taken_up_on_a_server_that_takes_no_new_work_is_fetched_all_the_same(
    course: Course,
) -> None:
    course.lose()
    course.pool.drain(client.url for client in course.pool.clients)
    course.server.open.set()
    assert course.run().path.exists()


def test_a_lora_that_is_cut_off_is_not_delivered(course: Course) -> None:
    course.server.cuts = True
    assert "no whole" in course.fail().reason


def test_weights_that_are_no_numbers_are_not_delivered(course: Course) -> None:
    course.server.broken_weights = True
    assert "no numbers" in course.fail().reason


def test_an_answer_that_is_lost_does_not_lose_the_training(course: Course) -> None:
    course.server.breaks = True

    assert course.run().path.exists()
    assert len(course.server.bodies()) == 1, "it is not asked for twice"


def test_a_server_that_is_started_anew_in_the_middle_ends_the_training(course: Course) -> None:
    course.server.breaks, course.server.writes = True, False
    course.server.open.clear()

    def restart() -> None:
        course.server.asked.wait(ENOUGH)
        course.server.app_id = 2
        course.server.open.set()

    threading.Thread(target=restart).start()
    assert "started anew" in course.fail().reason


def test_a_server_that_is_gone_in_the_middle_ends_the_training(course: Course) -> None:
    course.server.breaks, course.server.writes = True, False

    def hang_up_when_asked_for_a_training(asked: Asked) -> Reply:
        if course.server.asked.is_set():
            raise ConnectionAbortedError
        return Reply(body={"app_id": 1})

    course.server.webui.on("GET", "/app_id", hang_up_when_asked_for_a_training)

    assert "has not answered" in course.fail().reason


def test_the_time_limit_ends_the_wait_and_says_that_the_server_may_go_on(course: Course) -> None:
    course.server.open.clear()
    course.limits = Limits(limit=1.0, patience=5, look=0.05)
    failure = course.fail()

    assert "may still be at work" in failure.reason
    assert "SAJIN_EASYPHOTO_LIMIT_MINUTES" in failure.remedy


def test_a_cancel_gives_up_at_once_and_the_server_is_held_until_it_is_done(course: Course) -> None:
    course.lose()
    assert course.pool.is_busy(course.pool.clients[0])

    (
        course.request.work_folder / "attempt.json"
    ).unlink()  # the studio removes the folder of a cancelled training
    course.server.open.set()
    assert course.server.done.wait(ENOUGH)
    assert free_again(course.pool)
    deadline = time.monotonic() + ENOUGH
    while course.made() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert course.made() == []
    assert not course.request.output.exists()


def test_a_cancel_while_waiting_for_a_server_asks_for_nothing(course: Course) -> None:
    with course.pool.lease(), pytest.raises(TrainingCancelled):
        course.run(cancelled=lambda: bool(course.told))

    assert free_again(course.pool)
    assert course.server.bodies() == []
    assert kept_attempt(course.request.work_folder) is None


def test_a_training_whose_worker_died_is_waited_for_and_not_asked_for_again(course: Course) -> None:
    kept = course.lose()
    course.server.open.set()
    for photo in course.request.photos:
        photo.path.unlink()
    adapter = course.run()

    assert [body["user_id"] for body in course.server.bodies()] == [kept.user_id]
    assert adapter.path.exists()
    assert course.made() == []


def test_a_training_that_was_over_when_the_worker_came_back_is_fetched_though_the_server_is_gone(
    course: Course, tmp_path: Path
) -> None:
    kept = course.lose()
    course.server.open.set()
    assert free_again(course.pool)
    course.server.webui.routes.clear()
    course.pool = WebuiPool([WebuiClient(course.server.webui.url)], tmp_path / "locks")

    assert course.run().steps == kept.steps
    assert len(course.server.bodies()) == 1


def test_a_worker_killed_between_fetching_and_telling_does_not_learn_again(course: Course) -> None:
    kept = course.lose()
    course.server.open.set()
    before = load_file(course.run().path)
    kept.keep(course.request.work_folder)

    after = load_file(course.run().path)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert len(course.server.bodies()) == 1

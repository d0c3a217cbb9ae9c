"""Trainings, step by step: learn, install where the servers look, and every way that can end."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from studio.assembly import Foundations, lay_foundations
from studio.database.connect import Database
from studio.database.tables import AdapterRow
from studio.errors import DatabaseLocked, LearnedElsewhere
from studio.pipeline.attempts import ServerTasks
from studio.service import Studio
from studio.settings import Settings
from studio.values import JobRequest, NewSubject, Status, Training, TrainingOptions, UploadedFile
from studio.worker.process import job_steps, training_steps
from studio.worker.stopping import Stopping
from studio.worker.training_steps import TrainingSteps
from studio.worker.watching import Watcher
from tests.chaos.faults import in_the_way, locked
from tests.persons import astronaut
from tests.replay import Asked, Reply
from tests.unit.studio.painting_webui import MODEL, PaintingWebui
from training.errors import TrainingCancelled, TrainingFailed
from training.port import TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool


@dataclasses.dataclass
class QuickTrainer:
    """A trainer that writes a few bytes. fails: raise so. asked: what for. around: held while it learns."""

    fails: Exception | None = None
    around: AbstractContextManager[None] = dataclasses.field(default_factory=nullcontext)
    asked: list[TrainingRequest] = dataclasses.field(default_factory=list)
    name: str = "quick"

    def train(
        self,
        request: TrainingRequest,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> TrainedAdapter:
        self.asked.append(request)
        with self.around:
            on_progress(
                TrainingProgress(phase=TrainingPhase.LEARNING, fraction=0.5, step=1, steps=2, eta_seconds=3.0)
            )
            if cancelled():
                raise TrainingCancelled
        if self.fails is not None:
            raise self.fails
        content = b"LoRA of " + request.instance_token.encode()
        request.work_folder.mkdir(parents=True, exist_ok=True)
        request.output.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        return TrainedAdapter(path=request.output, sha256=sha256, steps=2, seconds=0.1, final_loss=None)


@dataclasses.dataclass
class School:
    """A studio beside one WebUI that reads LoRAs from folder."""

    base: Foundations
    studio: Studio
    steps: TrainingSteps
    trainer: QuickTrainer
    folder: Path

    def start(self, **options: int) -> Training:
        new = NewSubject(name="Anna", class_noun="woman", consent=True)
        subject = self.studio.create_subject(new)
        photos = [
            UploadedFile(filename="a.jpg", stream=io.BytesIO(photo)) for photo in astronaut(3, side=384)
        ]
        self.studio.add_photos(subject.id, photos)
        return self.studio.start_training(subject.id, TrainingOptions(**options))

    def run(self, training: Training) -> Training:
        """The order of studio.worker.workflows, without the durable queue."""
        learned = self.steps.learn(training.id)
        if learned is not None:
            self.steps.install(training.id, learned)
        return self.studio.training(training.id)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with reading_loras(tmp_path / "loras") as server, opened(tmp_path, server.url) as school:
        yield school


@contextmanager
def opened(tmp_path: Path, *urls: str, **settings: Any) -> Iterator[School]:
    """A school beside the servers at urls."""
    folder, checkpoint = tmp_path / "loras", tmp_path / f"{MODEL}.safetensors"
    checkpoint.touch()
    places = {"data": tmp_path / "data", "checkpoint": checkpoint, "lora_dir": folder}
    base = lay_foundations(Settings(_env_file=None, webui_urls=urls, **(places | settings)))
    with base.closing:
        pool = WebuiPool([WebuiClient(url) for url in urls], tmp_path / "locks")
        trainer = QuickTrainer()
        known = {"embedded": trainer}
        steps = dataclasses.replace(training_steps(base, pool, Stopping()), trainers=known)
        yield School(base=base, studio=Studio(base), steps=steps, trainer=trainer, folder=folder)


@contextmanager
def reading_loras(folder: Path) -> Iterator[PaintingWebui]:
    """A WebUI that lists what lay in its LoRA folder when it last read it, as A1111 does."""
    folder.mkdir()
    with PaintingWebui() as server:

        def read(_: Asked) -> Reply:
            read_now = listed(folder)
            server.on("GET", "/sdapi/v1/loras", read_now)
            return Reply(body=None)

        server.on("GET", "/sdapi/v1/loras", listed(folder))
        server.on("POST", "/sdapi/v1/refresh-loras", read)
        yield server


def listed(folder: Path) -> Reply:
    """A LoRA listing as A1111 gives it."""
    files = folder.glob("*.safetensors")
    return Reply(
        body=[{"name": file.stem, "alias": file.stem, "path": str(file), "metadata": {}} for file in files]
    )


def test_a_learned_person_has_a_lora_where_the_server_looks(school: School) -> None:
    training = school.run(school.start(steps=2))
    assert (training.status, training.progress) == (Status.SUCCEEDED, 1.0)
    assert training.adapter is not None
    assert (school.folder / f"{training.adapter.name}.safetensors").read_bytes().startswith(b"LoRA of")
    subject = school.studio.subject(training.subject_id)
    assert subject.state == "ready"
    assert subject.adapter == training.adapter
    assert not (school.base.settings.data_folder / "trainings" / training.id).exists()


def test_the_trainer_gets_the_fit_photos_with_their_faces(school: School) -> None:
    school.run(school.start(steps=2, seed=5))
    (request,) = school.trainer.asked
    assert len(request.photos) == 3
    assert all(photo.box is not None and photo.path.exists() for photo in request.photos)
    assert (request.class_noun, request.steps, request.seed) == ("woman", 2, 5)


def test_the_trainer_gets_each_photos_caption_its_owners_before_the_automatic_one(school: School) -> None:
    training = school.start(steps=2)
    first, second, _ = school.studio.photos(training.subject_id).items
    school.studio.set_caption(training.subject_id, second.id, "in a space suit")
    school.run(training)
    (request,) = school.trainer.asked
    captions = [photo.caption for photo in request.photos]
    assert captions[:2] == [first.caption, "in a space suit"]
    assert all(captions)


def test_installing_twice_as_after_a_crash_makes_one_adapter(school: School) -> None:
    training = school.start()
    learned = school.steps.learn(training.id)
    assert learned is not None
    school.steps.install(training.id, learned)
    school.steps.install(training.id, learned)
    with school.base.database.read() as session:
        assert len(session.scalars(select(AdapterRow)).all()) == 1
    assert len(list(school.folder.iterdir())) == 1


def test_a_trainer_that_fails_says_why_and_what_to_do(school: School) -> None:
    school.trainer.fails = TrainingFailed("The memory ran out.", "Choose a smaller rank.")
    training = school.run(school.start())
    assert training.status is Status.FAILED
    assert training.error is not None
    assert training.error.code == "training_failed"
    assert "smaller rank" in training.error.message
    assert school.studio.subject(training.subject_id).state == "failed"


def test_progress_that_a_locked_database_cannot_take_ends_no_training(school: School) -> None:
    impatient = Database(school.base.database.address, wait_seconds=0.1)
    school.steps = dataclasses.replace(school.steps, database=impatient)
    training = school.start()
    school.trainer.around = locked(school.base.settings.data_folder / "sajin.db")
    assert school.run(training).status is Status.SUCCEEDED
    impatient.close()


def test_an_end_that_a_locked_database_cannot_take_is_left_to_be_written_later(school: School) -> None:
    impatient = Database(school.base.database.address, wait_seconds=0.1)
    steps = dataclasses.replace(school.steps, database=impatient)
    training = school.start()
    learned = steps.learn(training.id)
    assert learned is not None
    with locked(school.base.settings.data_folder / "sajin.db"), pytest.raises(DatabaseLocked):
        steps.install(training.id, learned)
    assert school.studio.training(training.id).status is Status.RUNNING
    steps.install(training.id, learned)
    assert school.studio.training(training.id).status is Status.SUCCEEDED
    assert len(list(school.folder.iterdir())) == 1
    impatient.close()


def test_a_folder_that_cannot_be_written_fails_a_training_which_can_be_begun_again(school: School) -> None:
    training = school.start()
    with in_the_way(school.base.settings.data_folder / "adapters"):
        failed = school.run(training)
    assert failed.error is not None
    assert failed.error.code == "data_folder_unusable"
    assert list(school.folder.iterdir()) == []
    again = school.studio.start_training(training.subject_id)
    assert school.run(again).status is Status.SUCCEEDED


def test_a_waiting_training_is_cancelled_at_once_and_a_running_one_when_it_looks(school: School) -> None:
    waiting = school.start()
    assert school.studio.cancel_training(waiting.id).status is Status.CANCELLED
    assert school.run(waiting).status is Status.CANCELLED
    assert school.trainer.asked == []
    running = school.start()
    school.steps._start(running.id)
    school.studio.cancel_training(running.id)
    assert school.run(running).status is Status.CANCELLED
    assert list(school.folder.iterdir()) == []


def test_a_lora_folder_the_server_does_not_read_is_found_out(school: School, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    loras = dataclasses.replace(school.steps.loras, folders=(elsewhere,))
    school.steps = dataclasses.replace(school.steps, loras=loras)
    training = school.run(school.start())
    assert training.error is not None
    assert training.error.code == "training_unavailable"
    assert "SAJIN_LORA_DIR" in training.error.message


def test_a_server_that_is_away_does_not_fail_a_training(school: School, tmp_path: Path) -> None:
    away = WebuiPool([WebuiClient("http://127.0.0.1:9")], tmp_path / "locks")
    school.steps = dataclasses.replace(school.steps, pool=away)
    assert school.run(school.start()).status is Status.SUCCEEDED


def test_progress_is_kept_as_it_is_told(school: School) -> None:
    school.trainer.fails = TrainingFailed("Stopped here.", "Look at the row.")
    training = school.run(school.start())
    assert (training.phase, training.progress, training.step, training.steps) == ("learning", 0.5, 1, 2)


def test_a_subject_erased_while_it_is_learned_leaves_nothing(school: School) -> None:
    training = school.start()
    learned = school.steps.learn(training.id)
    assert learned is not None
    school.studio.erase_subject(training.subject_id)
    school.steps.install(training.id, learned)
    assert list(school.folder.iterdir()) == []
    data = school.base.settings.data_folder
    assert not [
        file for name in ("adapters", "trainings") for file in (data / name).rglob("*") if file.is_file()
    ]


def test_a_lora_lost_from_the_folder_is_put_back_before_a_job(school: School, tmp_path: Path) -> None:
    training = school.run(school.start())
    (file,) = school.folder.iterdir()
    file.unlink()
    job = school.studio.create_job(JobRequest(preset="studio-profile", subject=training.subject_id))
    steps = job_steps(school.base, school.steps.pool, ServerTasks(database=school.base.database), Stopping())
    steps.open(job.id, 0)
    assert file.exists()


def test_a_lora_is_placed_in_every_servers_own_folder_and_read_by_each(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with reading_loras(first) as one, reading_loras(second) as two:
        dirs = f"{two.url}/={second}"
        with opened(tmp_path, one.url, two.url, lora_dirs=dirs) as school:
            training = school.run(school.start())
            names = [[lora.name for lora in client.loras()] for client in school.steps.pool.clients]
    assert training.adapter is not None
    assert names == [[training.adapter.name]] * 2
    assert [file.name for file in first.iterdir()] == [file.name for file in second.iterdir()]


def test_a_server_that_came_later_gets_the_lora_before_a_job(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with reading_loras(first) as one, reading_loras(second) as two:
        with opened(tmp_path, one.url) as school:
            training = school.run(school.start())
            request = JobRequest(preset="studio-profile", subject=training.subject_id)
            job = school.studio.create_job(request)
        with opened(tmp_path, one.url, two.url, lora_dirs=f"{two.url}={second}") as school:
            tasks = ServerTasks(database=school.base.database)
            steps = job_steps(school.base, school.steps.pool, tasks, Stopping())
            steps.open(job.id, 0)
            names = [[lora.name for lora in client.loras()] for client in school.steps.pool.clients]
    assert training.adapter is not None
    assert names == [[training.adapter.name]] * 2


def test_a_folder_that_cannot_be_written_does_not_keep_the_lora_from_the_other_server(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with reading_loras(first) as one, reading_loras(second) as two:
        second.rmdir()
        second.write_text("not a folder")
        with opened(tmp_path, one.url, two.url, lora_dirs=f"{two.url}={second}") as school:
            training = school.run(school.start())
            job = school.studio.create_job(JobRequest(preset="studio-profile", subject=training.subject_id))
            tasks = ServerTasks(database=school.base.database)
            outline = job_steps(school.base, school.steps.pool, tasks, Stopping()).open(job.id, 0)
    assert training.status is Status.SUCCEEDED
    assert outline is not None, "nor does it keep a job from starting"
    assert len(list(first.iterdir())) == 1


def test_erasing_a_subject_takes_its_lora_from_every_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with (
        reading_loras(first) as one,
        reading_loras(second) as two,
        opened(tmp_path, one.url, two.url, lora_dirs=f"{two.url}={second}") as school,
    ):
        training = school.run(school.start())
        school.studio.erase_subject(training.subject_id)
    assert list(first.iterdir()) == list(second.iterdir()) == []


def test_a_person_learned_on_another_checkpoint_is_refused_before_and_after_the_order(school: School) -> None:
    training = school.run(school.start())
    request = JobRequest(preset="studio-profile", subject=training.subject_id)
    ordered = school.studio.create_job(request)
    with school.base.database.write() as session:
        for adapter in session.scalars(select(AdapterRow)):
            adapter.checkpoint = "another"
    (file,) = school.folder.iterdir()
    file.unlink()
    tasks = ServerTasks(database=school.base.database)
    steps = job_steps(school.base, school.steps.pool, tasks, Stopping())
    assert steps.open(ordered.id, 0) is None
    failed = school.studio.job(ordered.id)
    assert failed.error is not None
    assert failed.error.code == "learned_elsewhere"
    assert list(school.folder.iterdir()) == [], "a LoRA that fits no server must not be put there"
    client = school.steps.pool.clients[0]
    watcher = Watcher(
        database=school.base.database,
        queue=school.base.queue,
        pool=school.steps.pool,
        executor_id="a",
        stopping=Stopping(),
    )
    watcher.look_at_work()
    watcher.look_at_servers()
    with pytest.raises(LearnedElsewhere) as refused:
        school.studio.create_job(request)
    assert refused.value.data == {"learned_on": "another", "present": MODEL, "server": client.url}


def test_erasing_a_learned_subject_takes_its_lora_from_the_server(school: School) -> None:
    training = school.run(school.start())
    job = school.studio.create_job(JobRequest(preset="studio-profile", subject=training.subject_id))
    school.studio.erase_subject(training.subject_id)
    assert list(school.folder.iterdir()) == []
    assert job.id not in [left.id for left in school.studio.jobs().items]

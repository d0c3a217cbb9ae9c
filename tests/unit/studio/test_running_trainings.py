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
from studio.assessment.trials import TRIALS
from studio.database.connect import Database
from studio.database.tables import AdapterRow, JobRow
from studio.errors import (
    DatabaseLocked,
    LearnedElsewhere,
    NotFound,
    TrainingObstacle,
    TrainingUnavailable,
)
from studio.faces.process import FaceProcess
from studio.faces.values import Surroundings
from studio.loras import trial_name
from studio.pipeline.attempts import ServerTasks
from studio.planning.plan import Plan
from studio.service import Studio
from studio.settings import Settings
from studio.trainers import require_method
from studio.values import JobRequest, NewSubject, Status, Training, TrainingOptions, UploadedFile
from studio.worker.process import job_steps, training_steps
from studio.worker.stopping import Stopping
from studio.worker.training_steps import Learned, TrainingSteps
from studio.worker.watching import Watcher
from tests.chaos.faults import in_the_way, locked
from tests.persons import astronaut
from tests.replay import Asked, Reply
from tests.unit.studio.painting_webui import MODEL, PaintingWebui, fails
from training.errors import TrainingCancelled, TrainingFailed
from training.method import Method
from training.names import AdapterForm, MethodName
from training.port import Candidate, TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool

NOTES = ("The memory was too small.",)
FACES = FaceProcess()
"""Of all schools here, so that its child starts once and knows the photos again."""


@pytest.fixture(scope="module", autouse=True)
def faces_end_with_the_module() -> Iterator[None]:
    yield
    FACES.close()


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
        request.work_folder.mkdir(parents=True, exist_ok=True)
        first, last = (_kept(request, steps) for steps in (1, 2))
        return TrainedAdapter(
            path=last.path,
            sha256=last.sha256,
            steps=2,
            seconds=0.1,
            final_loss=None,
            candidates=(first,),
            form=request.method.form,
            notes=NOTES,
        )


def _kept(request: TrainingRequest, steps: int) -> Candidate:
    content = f"LoRA of {request.instance_token} after {steps}".encode()
    path = request.output.with_name(f"{steps}.safetensors")
    path.write_bytes(content)
    return Candidate(path=path, sha256=hashlib.sha256(content).hexdigest(), steps=steps)


@dataclasses.dataclass
class School:
    """A studio beside WebUIs; server: the first of them, which reads LoRAs from folder."""

    base: Foundations
    studio: Studio
    steps: TrainingSteps
    trainer: QuickTrainer
    server: PaintingWebui
    pool: WebuiPool
    folder: Path

    def start(self, **options: Any) -> Training:
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
            self.end(training.id, learned)
        return self.studio.training(training.id)

    def end(self, training_id: str, learned: Learned) -> None:
        """What comes after the learning."""
        chosen = self.steps.score(training_id, learned)
        if chosen is not None:
            self.steps.install(training_id, chosen)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    words = tmp_path / "embeddings"
    with (
        reading_loras(tmp_path / "loras") as server,
        opened(tmp_path, server, embeddings_dir=words) as school,
    ):
        yield school


@contextmanager
def opened(tmp_path: Path, *servers: PaintingWebui, **settings: Any) -> Iterator[School]:
    """A school beside the servers, in which candidates are compared by two pictures."""
    folder, checkpoint = tmp_path / "loras", tmp_path / "checkpoints" / f"{MODEL}.safetensors"
    checkpoint.parent.mkdir(exist_ok=True)
    checkpoint.touch()
    urls = tuple(server.url for server in servers)
    usual: dict[str, Any] = {
        "data": tmp_path / "data",
        "checkpoint": checkpoint,
        "lora_dir": folder,
        "patience_seconds": 0,
    }
    laid = lay_foundations(Settings(_env_file=None, webui_urls=urls, **(usual | settings)))
    base = dataclasses.replace(laid, faces=FACES)
    with base.closing:
        pool = WebuiPool([WebuiClient(url) for url in urls], tmp_path / "locks")
        trainer = QuickTrainer()
        steps = training_steps(base, pool, ServerTasks(database=base.database), Stopping())
        scorer = dataclasses.replace(steps.scorer, trials=TRIALS[:2])
        steps = dataclasses.replace(steps, trainers={"embedded": trainer}, scorer=scorer)
        yield School(
            base=base,
            studio=Studio(base),
            steps=steps,
            trainer=trainer,
            server=servers[0],
            pool=pool,
            folder=folder,
        )


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


@pytest.mark.parametrize(
    ("method", "form"), [("textual_inversion", "embedding"), ("dreambooth", "checkpoint")]
)
def test_what_is_no_lora_goes_where_the_server_reads_its_kind(
    school: School, method: MethodName, form: AdapterForm
) -> None:
    (folder,) = school.base.loras.of(form).folders
    server = school.server

    def names(_: Asked) -> Reply:
        files: dict[str, dict[str, str]] = {file.stem: {} for file in folder.glob("*.safetensors")}
        server.on("GET", "/sdapi/v1/embeddings", Reply(body={"loaded": {}, "skipped": files}))
        models = [{"title": f"{stem}.safetensors", "model_name": stem, "filename": stem} for stem in files]
        server.on("GET", "/sdapi/v1/sd-models", Reply(body=models))
        return Reply(body=None)

    for kind in ("embeddings", "checkpoints"):
        server.on("POST", f"/sdapi/v1/refresh-{kind}", names)
    training = school.run(school.start(method=Method(name=method)))

    assert training.status is Status.SUCCEEDED, training.error
    adapter = training.adapter
    assert adapter is not None
    assert (adapter.form, adapter.notes, adapter.weight) == (form, NOTES, None)
    assert adapter.trigger == (
        adapter.name if form == "embedding" else school.trainer.asked[0].instance_token
    )
    assert (folder / f"{adapter.name}.safetensors").is_file()
    assert not list(school.folder.iterdir())
    school.studio.erase_subject(training.subject_id)
    assert not (folder / f"{adapter.name}.safetensors").exists()


def test_a_method_that_cannot_be_used_here_is_refused_with_what_to_set(tmp_path: Path) -> None:
    with reading_loras(tmp_path / "loras") as server, opened(tmp_path, server) as school:
        with pytest.raises(TrainingUnavailable, match="SAJIN_EMBEDDINGS_DIR"):
            school.start(method=Method(name="textual_inversion"))
        with pytest.raises(TrainingUnavailable, match="a way of its own") as refused:
            require_method(school.base.settings, "kohya", Method())
        assert refused.value.reason is TrainingObstacle.METHOD_NOT_OFFERED
        (tmp_path / "no folder").touch()
        away = school.base.settings.model_copy(
            update={"checkpoint": tmp_path / "no folder" / "model.safetensors"}
        )
        with pytest.raises(TrainingUnavailable, match="cannot be written"):
            require_method(away, "embedded", Method(name="dreambooth"))


def test_a_token_made_from_the_name_never_is_the_name(school: School) -> None:
    training = school.run(school.start(method=Method(token_from_name=True)))
    assert school.trainer.asked[0].instance_token == "naan"
    assert training.adapter is not None
    assert training.adapter.trigger == "naan"


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
    chosen = school.steps.score(training.id, learned)
    assert chosen is not None
    school.steps.install(training.id, chosen)
    school.steps.install(training.id, chosen)
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
    chosen = None if learned is None else steps.score(training.id, learned)
    assert chosen is not None
    with locked(school.base.settings.data_folder / "sajin.db"), pytest.raises(DatabaseLocked):
        steps.install(training.id, chosen)
    assert school.studio.training(training.id).status is Status.RUNNING
    steps.install(training.id, chosen)
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
    servers = dataclasses.replace(school.steps.scorer.servers, loras=loras)
    scorer = dataclasses.replace(school.steps.scorer, servers=servers)
    school.steps = dataclasses.replace(school.steps, loras=loras, scorer=scorer)
    training = school.run(school.start())
    assert training.error is not None
    assert training.error.code == "training_unavailable"
    assert "SAJIN_LORA_DIR" in training.error.message


def test_a_server_that_is_away_does_not_fail_a_training(school: School, tmp_path: Path) -> None:
    away = WebuiPool([WebuiClient("http://127.0.0.1:9")], tmp_path / "locks")
    tasks = ServerTasks(database=school.base.database)
    steps = training_steps(school.base, away, tasks, Stopping())
    school.steps = dataclasses.replace(steps, trainers={"embedded": school.trainer})
    training = school.run(school.start())
    assert training.status is Status.SUCCEEDED
    report = school.studio.training_report(training.id)
    assert (report.steps, report.weight, report.points) == (2, None, ())
    assert report.failure is not None
    assert report.failure.code == "webui_unreachable"


def test_every_candidate_is_tried_and_the_best_is_used_at_its_best_weight(school: School) -> None:
    training = school.run(school.start())
    report = school.studio.training_report(training.id)
    tried = [(point.steps, point.weight) for point in report.points]
    assert report.failure is None
    assert tried == [(1, 0.85), (2, 0.85), (report.steps, 0.7), (report.steps, 1.0)]
    assert report.chosen is not None
    best = report.points[report.chosen]
    assert best.score == max(point.score for point in report.points)
    assert training.adapter is not None
    assert (training.adapter.steps, training.adapter.weight) == (best.steps, best.weight)
    installed = school.folder / f"{training.adapter.name}.safetensors"
    assert installed.read_bytes().endswith(f"after {best.steps}".encode())


def test_the_pictures_of_a_report_are_kept_until_the_person_is_erased(school: School) -> None:
    training = school.run(school.start())
    report = school.studio.training_report(training.id)
    pictures = {picture.id for point in report.points for picture in point.pictures}
    assert pictures
    files = [school.studio.report_picture(training.id, picture) for picture in pictures]
    assert pictures == {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    with pytest.raises(NotFound):
        school.studio.report_picture(training.id, "another")
    school.studio.erase_subject(training.subject_id)
    assert not any(file.exists() for file in files)


def test_a_scoring_that_was_killed_goes_on_with_what_it_has_seen_and_leaves_no_lora(school: School) -> None:
    class Killed(BaseException):
        pass

    class Mortal(FaceProcess):
        left = 5

        def surroundings(self, picture: bytes) -> Surroundings:
            self.left -= 1
            if self.left == 0:
                raise Killed
            return super().surroundings(picture)

    training = school.start()
    learned = school.steps.learn(training.id)
    assert learned is not None
    steps = school.steps
    with Mortal() as faces:
        school.steps = dataclasses.replace(steps, scorer=dataclasses.replace(steps.scorer, faces=faces))
        with pytest.raises(Killed):
            school.end(training.id, learned)
        assert list(school.folder.iterdir()) == []
    school.steps = steps
    painted = school.server.painted
    school.end(training.id, learned)
    report = school.studio.training_report(training.id)
    assert school.server.painted == painted + sum(len(point.pictures) for point in report.points) - 4
    assert [file.name.startswith("sajin-trial") for file in school.folder.iterdir()] == [False]


def test_candidates_that_a_killed_worker_left_among_the_loras_go_when_the_training_ends(
    school: School,
) -> None:
    training = school.start()
    learned = school.steps.learn(training.id)
    assert learned is not None
    school.steps.loras.install(trial_name(training.id, 1), b"left behind")
    school.studio.cancel_training(training.id)
    school.end(training.id, learned)
    assert school.studio.training(training.id).status is Status.CANCELLED
    assert list(school.folder.iterdir()) == []


def test_a_server_that_fails_while_scoring_leaves_the_last_candidate_and_says_so(school: School) -> None:
    training = school.start()
    school.server.misbehave = [fails] * 9
    ended = school.run(training)
    report = school.studio.training_report(training.id)
    assert ended.status is Status.SUCCEEDED
    assert ended.adapter is not None
    assert (ended.adapter.steps, ended.adapter.weight) == (2, None)
    assert report.failure is not None
    assert (report.failure.code, report.advice.code) == ("webui_failed", "score_again")


def test_photos_that_were_taken_away_meanwhile_leave_the_last_candidate_unseen(school: School) -> None:
    training = school.start()
    learned = school.steps.learn(training.id)
    assert learned is not None
    for photo in school.studio.photos(training.subject_id).items:
        school.studio.remove_photo(training.subject_id, photo.id)
    school.end(training.id, learned)
    report = school.studio.training_report(training.id)
    assert school.studio.training(training.id).status is Status.SUCCEEDED
    assert report.failure is not None
    assert (report.steps, report.failure.code) == (2, "not_enough_photos")


def test_a_job_calls_the_person_at_the_weight_that_was_found_best(school: School) -> None:
    training = school.run(school.start())
    assert training.adapter is not None
    job = school.studio.create_job(JobRequest(preset="studio-profile", subject=training.subject_id))
    tasks = ServerTasks(database=school.base.database)
    job_steps(school.base, school.pool, tasks, Stopping()).open(job.id, 0)
    with school.base.database.read() as session:
        row = session.get(JobRow, job.id)
        assert row is not None
        plan = Plan.model_validate(row.plan)
    tag = f"<lora:{training.adapter.name}:{training.adapter.weight:g}>"
    assert tag in plan.pictures[0].sampled[0].prompt


def test_progress_is_kept_as_it_is_told(school: School) -> None:
    school.trainer.fails = TrainingFailed("Stopped here.", "Look at the row.")
    training = school.run(school.start())
    assert (training.phase, training.progress, training.step, training.steps) == ("learning", 0.5, 1, 2)


def test_a_subject_erased_while_it_is_learned_leaves_nothing(school: School) -> None:
    training = school.start()
    learned = school.steps.learn(training.id)
    assert learned is not None
    chosen = school.steps.score(training.id, learned)
    assert chosen is not None
    school.studio.erase_subject(training.subject_id)
    school.steps.install(training.id, chosen)
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
    steps = job_steps(school.base, school.pool, ServerTasks(database=school.base.database), Stopping())
    steps.open(job.id, 0)
    assert file.exists()


def test_a_lora_is_placed_in_every_servers_own_folder_and_read_by_each(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with reading_loras(first) as one, reading_loras(second) as two:
        dirs = f"{two.url}/={second}"
        with opened(tmp_path, one, two, lora_dirs=dirs) as school:
            training = school.run(school.start())
            names = [[lora.name for lora in client.loras()] for client in school.pool.clients]
    assert training.adapter is not None
    assert names == [[training.adapter.name]] * 2
    assert [file.name for file in first.iterdir()] == [file.name for file in second.iterdir()]


def test_a_server_that_came_later_gets_the_lora_before_a_job(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with reading_loras(first) as one, reading_loras(second) as two:
        with opened(tmp_path, one) as school:
            training = school.run(school.start())
            request = JobRequest(preset="studio-profile", subject=training.subject_id)
            job = school.studio.create_job(request)
        with opened(tmp_path, one, two, lora_dirs=f"{two.url}={second}") as school:
            tasks = ServerTasks(database=school.base.database)
            steps = job_steps(school.base, school.pool, tasks, Stopping())
            steps.open(job.id, 0)
            names = [[lora.name for lora in client.loras()] for client in school.pool.clients]
    assert training.adapter is not None
    assert names == [[training.adapter.name]] * 2


def test_a_folder_that_cannot_be_written_does_not_keep_the_lora_from_the_other_server(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with reading_loras(first) as one, reading_loras(second) as two:
        second.rmdir()
        second.write_text("not a folder")
        with opened(tmp_path, one, two, lora_dirs=f"{two.url}={second}") as school:
            training = school.run(school.start())
            job = school.studio.create_job(JobRequest(preset="studio-profile", subject=training.subject_id))
            tasks = ServerTasks(database=school.base.database)
            outline = job_steps(school.base, school.pool, tasks, Stopping()).open(job.id, 0)
    assert training.status is Status.SUCCEEDED
    assert outline is not None, "nor does it keep a job from starting"
    assert len(list(first.iterdir())) == 1


def test_erasing_a_subject_takes_its_lora_from_every_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "loras", tmp_path / "loras of the second"
    with (
        reading_loras(first) as one,
        reading_loras(second) as two,
        opened(tmp_path, one, two, lora_dirs=f"{two.url}={second}") as school,
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
    steps = job_steps(school.base, school.pool, tasks, Stopping())
    assert steps.open(ordered.id, 0) is None
    failed = school.studio.job(ordered.id)
    assert failed.error is not None
    assert failed.error.code == "learned_elsewhere"
    assert list(school.folder.iterdir()) == [], "a LoRA that fits no server must not be put there"
    client = school.pool.clients[0]
    watcher = Watcher(
        database=school.base.database,
        queue=school.base.queue,
        pool=school.pool,
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

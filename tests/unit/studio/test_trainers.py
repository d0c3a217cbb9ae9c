"""Which trainer learns: what each needs, which may be chosen, and that a choice is kept to."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors import safe_open

from studio.assembly import Foundations, lay_foundations
from studio.database.tables import TrainingRow
from studio.errors import TrainingObstacle, TrainingUnavailable
from studio.pipeline.attempts import ServerTasks
from studio.planning.plan import ServerFacts
from studio.service import Studio
from studio.settings import Settings
from studio.trainers import availability, require_training
from studio.values import NewSubject, Status, Training, TrainingOptions, UploadedFile
from studio.worker.process import training_steps, webui_pool
from studio.worker.stopping import Stopping
from tests.persons import astronaut
from tests.stand_ins.kohya import behave, install, write_checkpoint
from training.errors import TrainerObstacle
from training.kohya import Installation
from training.names import TrainerName


@dataclass
class Place:
    """A machine with a checkpoint, a LoRA folder and sd-scripts beside a WebUI that is away."""

    folder: Path
    sd_scripts: Installation
    checkpoint: Path

    def settings(self, **changes: object) -> Settings:
        told: dict[str, object] = {
            "data": self.folder / "data",
            "webui_urls": ("http://127.0.0.1:9",),
            "checkpoint": self.checkpoint,
            "lora_dir": self.folder / "loras",
            "kohya": self.sd_scripts.folder,
            "kohya_python": self.sd_scripts.python,
            "patience_seconds": 0,
        }
        return Settings(_env_file=None, **(told | changes))  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "loras").mkdir()
    checkpoint = write_checkpoint(tmp_path / "realistic.safetensors")
    return Place(tmp_path, install(tmp_path / "sd-scripts"), checkpoint)


def obstacle(settings: Settings, trainer: TrainerName = "kohya") -> TrainingObstacle:
    with pytest.raises(TrainingUnavailable) as refused:
        require_training(settings, trainer)
    return refused.value.reason


def test_what_kohya_needs_is_told_one_by_one(place: Place, tmp_path: Path) -> None:
    assert require_training(place.settings(), "kohya")[0] == place.checkpoint
    assert obstacle(place.settings(kohya=None)) is TrainingObstacle.TRAINER_UNKNOWN
    assert obstacle(place.settings(kohya=tmp_path)) is TrainingObstacle.TRAINER_MISSING
    assert obstacle(place.settings(kohya_python=None)) is TrainingObstacle.TRAINER_PYTHON
    script = place.sd_scripts.folder / "train_network.py"
    script.write_text(script.read_text("utf-8").replace("--initial_epoch", "--first"), encoding="utf-8")
    assert obstacle(place.settings()) is TrainingObstacle.TRAINER_VERSION


def test_a_checkpoint_that_kohya_cannot_learn_on_is_refused_and_the_own_trainer_takes_it(
    place: Place,
) -> None:
    write_checkpoint(place.checkpoint, width=1024)

    assert obstacle(place.settings()) is TrainingObstacle.CHECKPOINT_UNFIT
    assert availability(place.settings(), ()).trainers == ("embedded",)


def test_the_python_of_sd_scripts_own_virtual_environment_is_found(place: Place) -> None:
    python = place.sd_scripts.folder / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(place.sd_scripts.python)

    require_training(place.settings(kohya_python=None), "kohya")


@pytest.mark.parametrize(
    ("changes", "available", "code", "trainers"),
    [
        ({}, True, "ready", ("embedded", "kohya")),
        ({"kohya": None}, True, "ready", ("embedded",)),
        ({"kohya": None, "trainer": "kohya"}, False, "trainer_unknown", ("embedded",)),
        ({"trainer": "kohya"}, True, "ready", ("embedded", "kohya")),
        ({"checkpoint": None}, False, "checkpoint_unknown", ()),
    ],
)
def test_the_studio_says_which_trainers_could_learn(
    place: Place, changes: dict[str, object], available: bool, code: str, trainers: tuple[str, ...]
) -> None:
    told = availability(place.settings(**changes), ())

    assert (told.available, told.code, told.trainers) == (available, code, trainers)
    assert told.trainer == changes.get("trainer", "embedded")


def test_easyphoto_needs_a_server_that_has_it_a_lora_folder_and_the_name_of_a_checkpoint(
    place: Place,
) -> None:
    settings = place.settings(checkpoint=Path("only-on-the-server.safetensors"))
    assert require_training(settings, "easyphoto")[1] == (place.folder / "loras",)
    assert obstacle(place.settings(checkpoint=None), "easyphoto") is TrainingObstacle.CHECKPOINT_UNKNOWN
    assert obstacle(place.settings(lora_dir=None), "easyphoto") is TrainingObstacle.LORA_DIR_UNKNOWN
    assert (
        obstacle(place.settings(lora_dir=place.folder / "no"), "easyphoto")
        is TrainingObstacle.LORA_DIR_MISSING
    )

    assert availability(place.settings(trainer="easyphoto"), ()).code == "trainer_not_served"
    with_it, without = facts(easyphoto=True), facts(easyphoto=False)
    assert "easyphoto" not in availability(place.settings(), (without,)).trainers
    assert availability(place.settings(trainer="easyphoto"), (without, with_it)).available


def facts(*, easyphoto: bool) -> ServerFacts:
    """A server of which nothing matters but whether it has EasyPhoto."""
    names = ("samplers", "schedulers", "upscalers", "loras", "scripts", "detectors")
    empty: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
    return ServerFacts(
        url="http://127.0.0.1:9",
        checkpoint="realistic",
        native_size=512,
        demonstration=False,
        controlnet_models=(),
        controlnet_modules=(),
        easyphoto=easyphoto,
        **empty,
    )


def test_every_obstacle_of_a_trainer_is_one_of_the_studio() -> None:
    known = {obstacle.value for obstacle in TrainingObstacle}
    assert {obstacle.value for obstacle in TrainerObstacle} <= known


@dataclass
class School:
    """A studio whose trainings run step by step."""

    base: Foundations
    studio: Studio

    def start(self, options: TrainingOptions) -> Training:
        subject = self.studio.create_subject(NewSubject(name="Anna", class_noun="woman", consent=True))
        photos = [UploadedFile(filename="a.jpg", stream=io.BytesIO(data)) for data in astronaut(3, side=384)]
        self.studio.add_photos(subject.id, photos)
        return self.studio.start_training(subject.id, options)

    def run(self, training: Training) -> Training:
        pool, tasks = webui_pool(self.base.settings), ServerTasks(database=self.base.database)
        steps = training_steps(self.base, pool, tasks, Stopping())
        learned = steps.learn(training.id)
        chosen = None if learned is None else steps.score(training.id, learned)
        if chosen is not None:
            steps.install(training.id, chosen)
        return self.studio.training(training.id)


@pytest.fixture
def school(place: Place) -> Iterator[Callable[..., School]]:
    with ExitStack() as open_studios:

        def opened(**changes: object) -> School:
            base = lay_foundations(place.settings(**changes))
            open_studios.enter_context(base.closing)
            return School(base, Studio(base))

        yield opened


def test_a_training_by_kohya_puts_its_lora_where_the_server_looks(
    school: Callable[..., School], place: Place
) -> None:
    pupil = school()
    training = pupil.run(pupil.start(TrainingOptions(trainer="kohya", steps=12)))

    assert (training.status, training.trainer, training.steps) == (Status.SUCCEEDED, "kohya", 12)
    assert training.adapter is not None
    file = place.folder / "loras" / f"{training.adapter.name}.safetensors"
    with safe_open(file, framework="np") as stream:
        assert stream.metadata()["modelspec.trigger_phrase"] == f"{training.adapter.trigger} woman"
    assert list((place.folder / "data" / "trainings").iterdir()) == []


def test_the_trainer_of_the_settings_learns_unless_another_is_named(school: Callable[..., School]) -> None:
    pupil = school(trainer="kohya")

    assert pupil.run(pupil.start(TrainingOptions(steps=6))).trainer == "kohya"
    assert pupil.start(TrainingOptions(trainer="embedded")).trainer == "embedded"


def test_a_trainer_that_cannot_learn_is_refused_before_the_queue(school: Callable[..., School]) -> None:
    pupil = school(kohya=None)
    with pytest.raises(TrainingUnavailable, match="SAJIN_KOHYA"):
        pupil.start(TrainingOptions(trainer="kohya"))


def test_a_cancelled_training_leaves_nothing_of_the_person(
    school: Callable[..., School], place: Place
) -> None:
    pupil = school(trainer="kohya")
    waiting = pupil.start(TrainingOptions())
    with pupil.base.database.write() as session:
        row = session.get(TrainingRow, waiting.id)
        assert row is not None
        row.cancel_requested = True  # as if it was asked for while the worker began

    assert pupil.run(waiting).status is Status.CANCELLED
    assert list((place.folder / "data" / "trainings").iterdir()) == []
    assert list((place.folder / "loras").iterdir()) == []


def test_a_failure_of_sd_scripts_is_the_training_s(school: Callable[..., School], place: Place) -> None:
    behave(place.sd_scripts, nan_from=3)
    pupil = school()
    training = pupil.run(pupil.start(TrainingOptions(trainer="kohya")))

    assert training.status is Status.FAILED
    assert training.error is not None
    assert (training.error.code, "diverged" in training.error.message) == ("training_failed", True)
    assert list((place.folder / "loras").iterdir()) == []


def test_easyphoto_is_refused_before_the_queue_while_no_server_has_it(school: Callable[..., School]) -> None:
    pupil = school(trainer="easyphoto")
    with pytest.raises(TrainingUnavailable, match="EasyPhoto") as refused:
        pupil.start(TrainingOptions())
    assert refused.value.reason is TrainingObstacle.TRAINER_NOT_SERVED

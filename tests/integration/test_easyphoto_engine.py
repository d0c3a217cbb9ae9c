"""The whole way of EasyPhoto with the real engine: photos in, its route, its trainer, a LoRA that its pictures show."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from studio.assembly import Foundations, lay_foundations
from studio.assessment.trials import TRIALS
from studio.pipeline.attempts import ServerTasks
from studio.service import Studio
from studio.settings import BUNDLED_CHECKPOINT, Settings
from studio.values import NewSubject, Status, Training, TrainingOptions, UploadedFile
from studio.worker.process import training_steps, webui_pool
from studio.worker.stopping import Stopping
from studio.worker.watching import Watcher
from tests.contract.engine_process import EngineProcess, running
from tests.persons import astronaut
from webui_client.client import WebuiClient
from webui_client.easyphoto import TRIGGER
from webui_client.values import Txt2Img

STEPS = 3


@dataclass(frozen=True)
class Place:
    """A studio beside an engine that is used like any WebUI."""

    base: Foundations
    studio: Studio
    engine: EngineProcess
    loras: Path

    def learn(self) -> Training:
        subject = self.studio.create_subject(NewSubject(name="Anna", class_noun="woman", consent=True))
        photos = [UploadedFile(filename="a.jpg", stream=io.BytesIO(data)) for data in astronaut(3, side=384)]
        self.studio.add_photos(subject.id, photos)
        pool, stopping = webui_pool(self.base.settings), Stopping()
        watcher = Watcher(
            database=self.base.database,
            queue=self.base.queue,
            pool=pool,
            executor_id="here",
            stopping=stopping,
        )
        watcher.look_at_work()
        watcher.look_at_servers()
        training = self.studio.start_training(subject.id, TrainingOptions(trainer="easyphoto", steps=STEPS))
        steps = training_steps(self.base, pool, ServerTasks(database=self.base.database), stopping)
        steps = replace(steps, scorer=replace(steps.scorer, trials=TRIALS[:2]))
        learned = steps.learn(training.id)
        chosen = None if learned is None else steps.score(training.id, learned)
        assert chosen is not None, self.studio.training(training.id).error
        steps.install(training.id, chosen)
        return self.studio.training(training.id)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    loras = tmp_path / "loras"
    loras.mkdir()
    with running(tmp_path / "engine", "--lora-dir", loras) as engine:
        settings = Settings(
            _env_file=None,
            data=tmp_path / "data",
            webui_urls=(engine.url,),
            checkpoint=BUNDLED_CHECKPOINT,
            lora_dir=loras,
        )
        base = lay_foundations(settings)
        with base.closing:
            yield Place(base, Studio(base), engine, loras)


@pytest.mark.timeout(300)
def test_a_person_learned_by_easyphoto_is_called_by_its_words_in_a_picture(place: Place) -> None:
    training = place.learn()

    assert (training.status, training.trainer, training.steps) == (Status.SUCCEEDED, "easyphoto", STEPS)
    adapter = training.adapter
    assert adapter is not None
    assert (adapter.trigger, adapter.steps) == (TRIGGER, STEPS)
    assert place.studio.training_report(training.id).failure is None
    assert [file.name for file in place.loras.iterdir()] == [f"{adapter.name}.safetensors"], (
        "EasyPhoto's is gone"
    )
    assert list((place.base.settings.data_folder / "trainings").iterdir()) == []

    prompt = f"photo of {adapter.trigger} woman <lora:{adapter.name}:1>"
    small = Txt2Img(prompt=prompt, width=64, height=64, steps=2, seed=1)
    assert WebuiClient(place.engine.url).txt2img(small).info.all_prompts[0].startswith(f"photo of {TRIGGER}")

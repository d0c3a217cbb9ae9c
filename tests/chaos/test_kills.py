"""Nothing is lost: worker, engine and API are killed -9 in every stage of generation and training.

Real processes, the real engine on the bundled model. SAJIN_CHAOS_ROUNDS=n sweeps n times with other moments. What
happens is written to data/chaos.log.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.assembly import lay_foundations
from studio.database.connect import Database
from studio.database.tables import ImageRow, JobRow, StageResultRow, TrainingRow
from studio.settings import REPOSITORY
from studio.values import Status
from tests.chaos.processes import Keeper, kept_running, wait_for
from tests.persons import astronaut
from tests.running_studio import free_settings

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600), pytest.mark.xdist_group("chaos")]

ROUNDS = range(int(os.environ.get("SAJIN_CHAOS_ROUNDS", "1")))
LOG = REPOSITORY / "data" / "chaos.log"
VICTIMS = ("worker", "engine", "api")
STAGES = ("skeleton", "tone", "upscale")
PHASES = ("caching", "learning", "saving")
FINAL = ("succeeded", "failed", "cancelled")
PRESET = """\
title: {en: Chaos, ko: 혼돈}
identity: lora
width: 512
height: 512
prompt: photo of a {subject}, white shirt, gray background
sampler: Euler a
scheduler: Automatic
stages:
  skeleton: {use: txt2img, steps: 40}
  tone: {use: img2img, steps: 60, denoising_strength: 0.6}
  upscale:
    use: upscale
    scale: 1.5
    steps: 20
    denoising_strength: 0.5
    upscaler: Lanczos
    controlnet: [{unit: tile_resample}]
"""


@pytest.fixture(scope="module")
def note() -> Iterator[Callable[[str], None]]:
    """Writes a line with the time to the chaos log."""
    LOG.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    with LOG.open("w", encoding="utf-8") as file:

        def write(line: str) -> None:
            print(f"{time.monotonic() - started:7.1f} s  {line}", file=file, flush=True)

        yield write


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory, note: Callable[[str], None]) -> Iterator[Keeper]:
    folder = tmp_path_factory.mktemp("chaos")
    (folder / "presets").mkdir()
    (folder / "presets" / "chaos.yaml").write_text(PRESET, encoding="utf-8")
    settings = free_settings(folder / "data", presets_dir=folder / "presets", poll_seconds=0.05)
    with kept_running(settings, folder / "logs", note) as keeper:
        yield keeper


@pytest.fixture(scope="module")
def database(keeper: Keeper) -> Iterator[Database]:
    """The studio's tables, for looking while the API is away."""
    base = lay_foundations(keeper.settings)
    with base.closing:
        yield base.database


@pytest.fixture
def anna(keeper: Keeper) -> str:
    """The id of a subject with enough photos."""
    subject = keeper.ask("POST", "/subjects", json={"name": "Anna", "class_noun": "woman", "consent": True})
    photos = [("photos", (f"{number}.jpg", photo)) for number, photo in enumerate(astronaut(3, side=384))]
    added = keeper.ask("POST", f"/subjects/{subject['id']}/photos", files=photos)
    assert added["set"]["enough"]
    return str(subject["id"])


@pytest.mark.parametrize("turn", ROUNDS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_job_ends_well_though_a_process_is_killed_in_every_stage(
    keeper: Keeper, database: Database, note: Callable[[str], None], victim: str, turn: int
) -> None:
    moments = random.Random(turn)
    order = {
        "preset": "chaos",
        "subject": None,
        "count": 1,
        "options": {"seed": 100 * turn + VICTIMS.index(victim)},
    }
    job = keeper.ask("POST", "/jobs", json=order, headers={"Idempotency-Key": f"{victim}-{turn}"})
    note(f"job {job['id'][:8]} ordered; its victim is the {victim}")
    for stage in STAGES:
        wait_for(lambda stage=stage: stage_of(database, job["id"]) == stage, 150, f"stage {stage}")  # type: ignore[misc]
        time.sleep(moments.uniform(0.05, 0.4))
        note(f"stage {stage_of(database, job['id'])}: kill -9 {victim}")
        keeper.kill(victim)
    again = keeper.ask("POST", "/jobs", json=order, headers={"Idempotency-Key": f"{victim}-{turn}"})
    assert again["id"] == job["id"], "the same Idempotency-Key must not make a second job"
    done = finished(keeper, f"/jobs/{job['id']}")
    note(f"job {job['id'][:8]} {done['status']}: {done['error']}")
    assert done["status"] == "succeeded", done["error"]
    assert_each_stage_finished_once(keeper, database, job["id"], note)
    assert_pictures_are_whole_and_single(keeper, database, job["id"], note)


@pytest.mark.parametrize("turn", ROUNDS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_training_ends_well_though_a_process_is_killed_in_every_phase(
    keeper: Keeper, database: Database, note: Callable[[str], None], anna: str, victim: str, turn: int
) -> None:
    training = keeper.ask("POST", f"/subjects/{anna}/trainings", json={"steps": 6, "seed": turn})
    note(f"training {training['id'][:8]} started; its victim is the {victim}")
    for phase in PHASES:
        wait_for(lambda phase=phase: is_past(database, training["id"], phase), 150, f"phase {phase}")  # type: ignore[misc]
        note(f"phase {phase_of(database, training['id'])}: kill -9 {victim}")
        keeper.kill(victim)
    done = finished(keeper, f"/subjects/{anna}/trainings/{training['id']}")
    note(f"training {training['id'][:8]} {done['status']}: {done['error']}")
    assert done["status"] == "succeeded", done["error"]
    assert_the_lora_is_whole_and_single(keeper, done["adapter"]["name"], note)
    assert_each_is_told_once(keeper, "training succeeded", "training", training["id"])


def stage_of(database: Database, job_id: str) -> str | None:
    with database.read() as session:
        row = session.get(JobRow, job_id)
    assert row is not None
    assert not Status(row.status).final, f"the job ended early: {row.error}"
    return row.stage


def phase_of(database: Database, training_id: str) -> str:
    with database.read() as session:
        row = session.get(TrainingRow, training_id)
    assert row is not None
    return row.phase if row.status == Status.RUNNING else row.status


def is_past(database: Database, training_id: str, phase: str) -> bool:
    """Whether a training is in a phase, or was in it too shortly to be seen."""
    order = ("queued", "", "preparing", *PHASES, *FINAL)
    return order.index(phase_of(database, training_id)) >= order.index(phase)


def finished(keeper: Keeper, path: str, seconds: float = 240.0) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        state: dict[str, Any] = keeper.ask("GET", path)
        if state["status"] in FINAL:
            return state
        assert time.monotonic() < deadline, f"{path} does not end: {state}"
        time.sleep(0.1)


def assert_each_stage_finished_once(
    keeper: Keeper, database: Database, job_id: str, note: Callable[[str], None]
) -> None:
    told = [line for line in keeper.told("worker") if line.get("job") == job_id]
    made = Counter(line["stage"] for line in told if line["event"] == "stage finished")
    found = Counter(line["stage"] for line in told if line["event"] == "stage found")
    note(f"stages finished: {dict(made)}; found finished after a kill: {dict(found)}")
    assert made == dict.fromkeys(STAGES, 1)
    with database.read() as session:
        assert session.query(StageResultRow).filter_by(job_id=job_id).count() == len(STAGES)


def assert_pictures_are_whole_and_single(
    keeper: Keeper, database: Database, job_id: str, note: Callable[[str], None]
) -> None:
    outputs = [file for file in (keeper.settings.data_folder / "outputs").rglob("*") if file.is_file()]
    for file in outputs:
        content = file.read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.stem, f"{file} is not what its name says"
        Image.open(io.BytesIO(content)).load()
    with database.read() as session:
        images = session.query(ImageRow).filter_by(job_id=job_id).all()
        known = {row.path for row in session.query(StageResultRow)} | {
            row.path for row in session.query(ImageRow)
        }
    assert [image.number for image in images] == [0]
    kept = {str(file.relative_to(keeper.settings.data_folder)) for file in outputs}
    assert kept == known, "a picture is kept that belongs to nothing, or one is lost"
    note(f"{len(outputs)} pictures in the store, each whole and known once")


def assert_the_lora_is_whole_and_single(keeper: Keeper, name: str, note: Callable[[str], None]) -> None:
    from safetensors import safe_open

    folder = Path(keeper.settings.installed_loras or "")
    assert [file.stem for file in folder.iterdir() if file.is_file()].count(name) == 1
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="np") as tensors:
            assert tensors.keys()
    adapters = [file for file in (keeper.settings.data_folder / "adapters").rglob("*") if file.is_file()]
    for file in adapters:
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem
    assert not any((keeper.settings.data_folder / "trainings").iterdir()), "a work folder was left behind"
    note(f"LoRA {name} is whole; {len(adapters)} adapters in the store")


def assert_each_is_told_once(keeper: Keeper, event: str, key: str, value: str) -> None:
    told = [line for line in keeper.told("worker") if line["event"] == event and line.get(key) == value]
    assert len(told) == 1

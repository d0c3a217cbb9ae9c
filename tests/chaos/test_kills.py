"""Nothing is lost: worker, engine and API are killed -9 in every stage of generation and training.

Real processes, the real engine on the bundled model. A test passes only when each kill has met its part running.
SAJIN_CHAOS_ROUNDS=n sweeps n times with other moments.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.assembly import lay_foundations
from studio.database.connect import Database
from studio.database.tables import ImageRow, JobRow, StageResultRow, TrainingRow
from studio.values import Status
from tests.chaos.conftest import Note
from tests.chaos.processes import Keeper, kept_running, wait_for
from tests.persons import astronaut
from tests.running_studio import free_settings

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900), pytest.mark.xdist_group("chaos")]

ROUNDS = range(int(os.environ.get("SAJIN_CHAOS_ROUNDS", "1")))
MOST_RUNS = 4  # until each part was struck; a short part may be over before the blow falls
TRAINING_STEPS = 16
VICTIMS = ("worker", "engine", "api")
STAGES = ("skeleton", "tone", "upscale")
PHASES = ("caching", "learning", "saving", "scoring")
FINAL = ("succeeded", "failed", "cancelled")
PRESET = """\
title: {en: Chaos, ko: 혼돈}
identity: lora
width: 256
height: 256
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
def keeper(tmp_path_factory: pytest.TempPathFactory, note: Note) -> Iterator[Keeper]:
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
    keeper: Keeper, database: Database, note: Note, victim: str, turn: int
) -> None:
    moments = random.Random(f"{victim} {turn}")
    struck: set[str] = set()
    for number in range(MOST_RUNS):
        order = {"preset": "chaos", "subject": None, "count": 1, "options": {"seed": moments.getrandbits(32)}}
        key = {"Idempotency-Key": f"{victim}-{turn}-{number}"}
        job = keeper.ask("POST", "/jobs", json=order, headers=key)
        note(f"job {job['id'][:8]} ordered; its victim is the {victim}")
        look = watching(database, JobRow, job["id"])
        for stage in [stage for stage in STAGES if stage not in struck]:
            pause = moments.uniform(0.05, 0.4)
            struck |= killed_in(stage, victim, keeper, look, note, pause)
        again = keeper.ask("POST", "/jobs", json=order, headers=key)
        assert again["id"] == job["id"], "the same Idempotency-Key must not make a second job"
        done = finished(keeper, f"/jobs/{job['id']}")
        note(f"job {job['id'][:8]} {done['status']}: {done['error']}")
        assert done["status"] == "succeeded", done["error"]
        assert_each_stage_finished_once(keeper, database, job["id"], note)
        assert_pictures_are_whole_and_single(keeper, database, job["id"], note)
        if struck == set(STAGES):
            return
    raise AssertionError(f"in {MOST_RUNS} jobs the {victim} was killed in {struck} only")


@pytest.mark.parametrize("turn", ROUNDS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_training_ends_well_though_a_process_is_killed_in_every_phase(
    keeper: Keeper, database: Database, note: Note, anna: str, victim: str, turn: int
) -> None:
    struck: set[str] = set()
    for number in range(MOST_RUNS):
        options = {"steps": TRAINING_STEPS, "seed": MOST_RUNS * turn + number}
        training = keeper.ask("POST", f"/subjects/{anna}/trainings", json=options)
        note(f"training {training['id'][:8]} started; its victim is the {victim}")
        look = watching(database, TrainingRow, training["id"])
        for phase in [phase for phase in PHASES if phase not in struck]:
            struck |= killed_in(phase, victim, keeper, look, note)
        done = finished(keeper, f"/subjects/{anna}/trainings/{training['id']}")
        note(f"training {training['id'][:8]} {done['status']}: {done['error']}")
        assert done["status"] == "succeeded", done["error"]
        assert_the_lora_is_whole_and_single(keeper, done["adapter"]["name"], note)
        assert_each_is_told_once(keeper, "training succeeded", "training", training["id"])
        assert_no_trial_was_made_twice(keeper, training["id"], note)
        if struck == set(PHASES):
            return
    raise AssertionError(f"in {MOST_RUNS} trainings the {victim} was killed in {struck} only")


@dataclass(frozen=True)
class Sight:
    """What the row of a job or training says at one moment. part: its stage or phase."""

    status: str
    part: str
    progress: float
    order: tuple[str, ...]

    def is_running_in(self, part: str) -> bool:
        return self.status == Status.RUNNING and self.part == part

    def has_reached(self, part: str) -> bool:
        """Whether it is in a part, or was in it too shortly to be seen."""
        if Status(self.status).final:
            return True
        return self.part in self.order and self.order.index(self.part) >= self.order.index(part)


def watching(database: Database, table: type[JobRow] | type[TrainingRow], row_id: str) -> Callable[[], Sight]:
    def look() -> Sight:
        with database.read() as session:
            row = session.get(table, row_id)
        if isinstance(row, JobRow):
            return Sight(row.status, row.stage or "", row.progress, STAGES)
        assert isinstance(row, TrainingRow)
        return Sight(row.status, row.phase, row.progress, PHASES)

    return look


def killed_in(
    part: str, victim: str, keeper: Keeper, look: Callable[[], Sight], note: Note, pause: float = 0.0
) -> set[str]:
    """Kill the victim while the row says that its work is running in a part, a pause after it began; what was struck.

    The worker alone moves the row on, and it is frozen from before the look until after the kill: what the look has
    seen is so at the very moment of the kill.
    """
    wait_for(lambda: look().has_reached(part), 150, part)
    time.sleep(pause)
    with keeper.frozen("worker"):
        sight = look()
        if not sight.is_running_in(part):
            note(f"missed {part}: the row says {sight.status}, {sight.part or 'nothing'}")
            return set()
        note(f"the row says {sight.status}, {part}, {sight.progress:.0%}: kill -9 {victim}")
        keeper.kill(victim)
    return {part}


def finished(keeper: Keeper, path: str, seconds: float = 240.0) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        state: dict[str, Any] = keeper.ask("GET", path)
        if state["status"] in FINAL:
            return state
        assert time.monotonic() < deadline, f"{path} does not end: {state}"
        time.sleep(0.1)


def assert_each_stage_finished_once(keeper: Keeper, database: Database, job_id: str, note: Note) -> None:
    told = [line for line in keeper.told("worker") if line.get("job") == job_id]
    made = Counter(line["stage"] for line in told if line["event"] == "stage finished")
    found = Counter(line["stage"] for line in told if line["event"] == "stage found")
    note(f"stages finished: {dict(made)}; found finished after a kill: {dict(found)}")
    for stage in STAGES:  # a kill between keeping and telling leaves only the finding
        assert made[stage] == 1 or (made[stage] == 0 and found[stage])
    with database.read() as session:
        assert session.query(StageResultRow).filter_by(job_id=job_id).count() == len(STAGES)


def assert_pictures_are_whole_and_single(keeper: Keeper, database: Database, job_id: str, note: Note) -> None:
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


def assert_the_lora_is_whole_and_single(keeper: Keeper, name: str, note: Note) -> None:
    from safetensors import safe_open

    folder = Path(keeper.settings.installed_loras or "")
    names = [file.stem for file in folder.iterdir() if file.is_file()]
    assert names.count(name) == 1
    assert not [name for name in names if name.startswith("sajin-trial")], "a candidate was left behind"
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="np") as tensors:
            assert tensors.keys()
    kept = [file for file in (keeper.settings.data_folder / "adapters").rglob("*") if file.is_file()]
    for file in kept:
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem
    assert not any((keeper.settings.data_folder / "trainings").iterdir()), "a work folder was left behind"
    note(f"LoRA {name} is whole; {len(kept)} adapters and report pictures in the store")


def assert_no_trial_was_made_twice(keeper: Keeper, training_id: str, note: Note) -> None:
    told = [line for line in keeper.told("worker") if line.get("training") == training_id]
    made = Counter(
        (line["steps"], line["weight"], line["trial"]) for line in told if line["event"] == "trial finished"
    )
    found = sum(line["event"] == "trial found" for line in told)
    note(f"{len(made)} trials made; {found} found made after a kill")
    assert set(made.values()) == {1}


def assert_each_is_told_once(keeper: Keeper, event: str, key: str, value: str) -> None:
    told = [line for line in keeper.told("worker") if line["event"] == event and line.get(key) == value]
    assert len(told) == 1

"""A whole job through API, queue and worker, against a plain script that makes the same calls to the same engine."""

from __future__ import annotations

import base64
import io
import json
import statistics
import time
import uuid
from pathlib import Path

import requests
from PIL import Image

from bench.processes import Studio, engine_alone, whole_studio
from bench.recorder import recording
from bench.rows import Row, ratio_row, spoken

RATIO_LIMIT = 1.10
STAGE_LIMIT_MS = 80
LOOK_SECONDS = 0.02
FIRST_SEED = 1000


def measure(folder: Path, rounds: int) -> list[Row]:
    """The ratio of the whole job, and what a stage pays for being durable."""
    ours, plain, stages = [], [], 1
    with (
        engine_alone(folder) as engine,
        recording(engine) as recorder,
        whole_studio(folder, recorder.address) as studio,
    ):
        run_job(studio, FIRST_SEED - 1)
        recorder.take()
        for number in range(rounds):
            ours.append(run_job(studio, FIRST_SEED + number))
            calls = recorder.take()
            stages = len(calls)
            plain.append(run_script(engine, calls))
    added = statistics.median((one - other) / stages for one, other in zip(ours, plain, strict=True))
    return [
        ratio_row("a whole job of three stages", ours, plain, RATIO_LIMIT, NOTE),
        Row(
            what="added to each stage",
            ours=spoken(max(added, 0)),
            plain="",
            value=added * 1000,
            limit=STAGE_LIMIT_MS,
            unit=" ms",
        ),
    ]


NOTE = (
    "ours from POST /api/v1/jobs until the job reads succeeded; plain sends the recorded bodies of that very job to "
    "the engine again and decodes and saves each picture. The recorder between studio and engine counts against us."
)


def run_job(studio: Studio, seed: int) -> float:
    """Seconds from asking for a picture until the job reads succeeded."""
    body = {"preset": "studio-profile", "count": 1, "options": {"seed": seed}}
    started = time.perf_counter()
    job = studio.api.post("/jobs", body, {"Idempotency-Key": uuid.uuid4().hex})
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        time.sleep(LOOK_SECONDS)
        job = studio.api.get(f"/jobs/{job['id']}")
    seconds = time.perf_counter() - started
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job {job['status']}: {job['error']}")
    return seconds


def run_script(engine: str, calls: list[tuple[str, bytes]]) -> float:
    """Seconds a plain script takes for the same calls, one after the other, saving what comes back."""
    session = requests.Session()
    bodies = [(path, renewed(body)) for path, body in calls]
    started = time.perf_counter()
    for path, body in bodies:
        answer = session.post(f"{engine}{path}", json=body, timeout=600)
        answer.raise_for_status()
        for text in answer.json()["images"]:
            Image.open(io.BytesIO(base64.b64decode(text))).save(io.BytesIO(), "PNG")
    return time.perf_counter() - started


def renewed(body: bytes) -> dict[str, object]:
    """The request with a task id of its own."""
    values: dict[str, object] = json.loads(body)
    return {**values, "force_task_id": uuid.uuid4().hex}

"""A whole job through API, queue and worker, against a plain script that makes the same calls to the same engine."""

from __future__ import annotations

import base64
import datetime as dt
import io
import statistics
import time
import uuid
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from bench.plain_calls import Call, calls_of
from bench.processes import Studio, engine_alone, whole_studio
from bench.rows import Row, ratio_row, spoken
from webui_client.client import WebuiClient

RATIO_LIMIT = 1.10
STAGE_LIMIT_MS = 80
LOOK_SECONDS = 2.0
FIRST_SEED = 1000


def measure(folder: Path, rounds: int) -> list[Row]:
    """The ratio of the whole job, and what a stage pays for being durable."""
    ours, plain, stages = [], [], 1
    with engine_alone(folder) as engine, whole_studio(folder, engine, pages=False) as studio:
        webui = WebuiClient(engine)
        run_job(studio, FIRST_SEED - 1)
        for number in range(rounds):
            seconds, job = run_job(studio, FIRST_SEED + number)
            calls = calls_of(studio.api, job, webui, folder)
            stages = len(calls)
            ours.append(seconds)
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
    "ours from POST /api/v1/jobs until the moment that the job says it was finished; plain sends the bodies of that "
    "very job, built from its recipe, to the engine again and decodes and saves each picture."
)


def run_job(studio: Studio, seed: int) -> tuple[float, dict[str, Any]]:
    """Seconds from asking for a picture until the job was finished by its own account, and the job.

    The job is looked at seldom, so that looking costs it nothing; the moment is read from the job, by the same clock.
    """
    body = {"preset": "studio-profile", "count": 1, "options": {"seed": seed}}
    started = dt.datetime.now(dt.UTC)
    job = studio.api.post("/jobs", body, {"Idempotency-Key": uuid.uuid4().hex})
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        time.sleep(LOOK_SECONDS)
        job = studio.api.get(f"/jobs/{job['id']}")
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job {job['status']}: {job['error']}")
    return (dt.datetime.fromisoformat(job["finished_at"]) - started).total_seconds(), job


def run_script(engine: str, calls: list[Call]) -> float:
    """Seconds a plain script takes for the same calls, one after the other, saving what comes back."""
    session = requests.Session()
    started = time.perf_counter()
    for path, body in calls:
        answer = session.post(f"{engine}{path}", json=body, timeout=600)
        answer.raise_for_status()
        for text in answer.json()["images"]:
            Image.open(io.BytesIO(base64.b64decode(text))).save(io.BytesIO(), "PNG")
    return time.perf_counter() - started

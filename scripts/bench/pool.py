"""How busy a studio keeps several servers: jobs on four that only wait, against what they could do at best.

The servers speak a recorded A1111's HTTP, and sleep instead of computing.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.processes import Studio, whole_studio
from bench.rows import Row
from tests.unit.studio.painting_webui import PaintingWebui

SERVERS = 4
JOBS = 32
STAGES = ("skeleton", "tone")
STAGE_SECONDS = 2.0
IDEAL_SECONDS = JOBS * len(STAGES) * STAGE_SECONDS / SERVERS
SHARE_OF_IDEAL = 0.95
MOST_ROUNDS = 3
LOOK_SECONDS = 1.0
PRESET = """\
title: {en: Quick, ko: 빠른}
identity: none
width: 256
height: 256
prompt: photo of a {subject}
steps: 10
sampler: Euler a
scheduler: Automatic
stages:
  skeleton: {use: txt2img}
  tone: {use: img2img, denoising_strength: 0.4}
"""


def measure(folder: Path, rounds: int) -> list[Row]:
    """The time of all jobs, as a multiple of the servers' own time shared out evenly."""
    presets = folder / "presets"
    presets.mkdir()
    (presets / "quick.yaml").write_text(PRESET, encoding="utf-8")
    with ExitStack() as running:
        servers = [running.enter_context(PaintingWebui()) for _ in range(SERVERS)]
        for server in servers:
            server.pause_seconds = STAGE_SECONDS
        urls = [server.url for server in servers]
        studio = running.enter_context(whole_studio(folder, *urls, pages=False, presets_dir=presets))
        run_jobs(studio, SERVERS)
        seconds = statistics.median(run_jobs(studio, JOBS) for _ in range(min(rounds, MOST_ROUNDS)))
    return [
        Row(
            what=f"{JOBS} jobs on {SERVERS} servers",
            ours=f"{seconds:.1f} s",
            plain=f"{IDEAL_SECONDS:.1f} s",
            value=seconds / IDEAL_SECONDS,
            limit=1 / SHARE_OF_IDEAL,
            note=f"plain is the ideal: every server at work all the time, {STAGE_SECONDS:g} s for each of the "
            f"{len(STAGES)} stages of a job; ours from the first order until the last job was finished",
        )
    ]


def run_jobs(studio: Studio, count: int) -> float:
    """Seconds from the first order until the last job was finished, by the jobs' own account."""
    started = dt.datetime.now(dt.UTC)
    ordered = [order(studio) for _ in range(count)]
    jobs = look(studio, ordered)
    while any(job["status"] in ("queued", "running") for job in jobs):
        time.sleep(LOOK_SECONDS)
        jobs = look(studio, ordered)
    failed = [job["error"] for job in jobs if job["status"] != "succeeded"]
    if failed:
        raise RuntimeError(f"{len(failed)} jobs failed: {failed[0]}")
    return (max(dt.datetime.fromisoformat(job["finished_at"]) for job in jobs) - started).total_seconds()


def order(studio: Studio) -> str:
    """Ask for one picture; the job's id."""
    key = uuid.uuid4()
    body = {"preset": "quick", "count": 1, "options": {"seed": key.int % 2**32}}
    return str(studio.api.post("/jobs", body, {"Idempotency-Key": key.hex})["id"])


def look(studio: Studio, ids: list[str]) -> list[dict[str, Any]]:
    """The jobs as they are now."""
    jobs = {job["id"]: job for job in studio.api.items(f"/jobs?limit={len(ids)}")}
    return [jobs[one] for one in ids]

"""An engine picture over HTTP, against the same diffusers pipeline called in process."""

from __future__ import annotations

import io
import statistics
import time
from pathlib import Path

import requests

from bench.processes import engine_alone
from bench.rows import Row, ratio_row, spoken
from studio.settings import BUNDLED_CHECKPOINT

LIMIT = 1.10
LIMIT_SECONDS = 3.0
STEPS = 20
PROMPT = "studio portrait of a woman with black hair, blue background"


def measure(folder: Path, rounds: int) -> list[Row]:
    """The ratio of one picture: native size, 20 steps of DDIM with guidance 7."""
    with engine_alone(folder) as engine:
        side = native_size(engine)
        pipeline = Pipeline(side)
        ours, plain = [], []
        over_http(engine, side, 0)
        pipeline.draw(0)
        for seed in range(1, rounds + 1):
            ours.append(over_http(engine, side, seed))
            plain.append(pipeline.draw(seed))
    what = f"an engine picture, {side} × {side}, {STEPS} steps"
    note = "ours includes HTTP, progress, infotext and PNG; plain ends with a PNG too"
    seconds = statistics.median(ours)
    return [
        ratio_row(what, ours, plain, LIMIT, note),
        Row(
            what="the same, by itself",
            ours=spoken(seconds),
            plain="",
            value=seconds,
            limit=LIMIT_SECONDS,
            unit=" s",
        ),
    ]


def native_size(engine: str) -> int:
    """The side in pixels that the engine's checkpoint was made for."""
    size: int = requests.get(f"{engine}/internal/sajin", timeout=30).json()["native_size"]
    return size


def over_http(engine: str, side: int, seed: int) -> float:
    """Seconds for a picture by HTTP."""
    body = {
        "prompt": PROMPT,
        "steps": STEPS,
        "width": side,
        "height": side,
        "seed": seed,
        "cfg_scale": 7,
        "sampler_name": "DDIM",
    }
    started = time.perf_counter()
    requests.post(f"{engine}/sdapi/v1/txt2img", json=body, timeout=600).raise_for_status()
    return time.perf_counter() - started


class Pipeline:
    """diffusers' own StableDiffusionPipeline on the bundled model, as its documentation shows it."""

    def __init__(self, side: int) -> None:
        import torch
        from diffusers import DDIMScheduler, StableDiffusionPipeline
        from diffusers.utils.logging import disable_progress_bar

        disable_progress_bar()
        self._torch = torch
        self._side = side
        self._pipeline = StableDiffusionPipeline.from_pretrained(
            BUNDLED_CHECKPOINT, dtype=torch.float32, safety_checker=None, local_files_only=True
        )
        self._pipeline.scheduler = DDIMScheduler.from_config(self._pipeline.scheduler.config)
        self._pipeline.set_progress_bar_config(disable=True)

    def draw(self, seed: int) -> float:
        """Seconds for a picture."""
        started = time.perf_counter()
        result = self._pipeline(
            PROMPT,
            num_inference_steps=STEPS,
            width=self._side,
            height=self._side,
            guidance_scale=7,
            generator=self._torch.Generator().manual_seed(seed),
        )
        result.images[0].save(io.BytesIO(), "PNG")
        return time.perf_counter() - started

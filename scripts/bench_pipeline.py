"""Measure the three-stage portrait on the engine against plain diffusers: `python scripts/bench_pipeline.py`.

Text to picture at 512 x 768 in 30 steps, the same once more at a denoising strength of 0.35, then twice the size tile
by tile at 0.15; without ControlNet, ADetailer and LoRA, so that both do the same. Ours goes through the engine's HTTP
application (without a socket); plain is diffusers' own pipelines on the same weights, device and precision. Made for a
GPU with --shape sd15 (random weights); on a processor it runs --shape tiny.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

if TYPE_CHECKING:
    from bench.networks import Shape

GOAL_SECONDS, GOAL_RATIO = 5.0, 1.0
PROMPT, NEGATIVE = "studio portrait of a woman, soft light", "blurry"
CFG, TONE, FINISH, SCALE = 5.0, 0.35, 0.15, 2
STAGES = ("composition", "tone", "upscale")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is measured. side: pixels of a tile and of the picture's width; overlap: of tiles. batch: tiles at once."""

    shape: Shape
    side: int
    steps: int
    finish_steps: int
    overlap: int
    batch: int
    rounds: int


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    import torch

    on_card = torch.cuda.is_available()
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--shape", choices=["tiny", "bundled", "sd15"], default="sd15" if on_card else "tiny")
    line.add_argument("--steps", type=int, default=30)
    line.add_argument("--rounds", type=int, default=3)
    line.add_argument("--batch", type=int, default=4, help="tiles painted at once")
    line.add_argument("--json", action="store_true", dest="as_json")
    given = line.parse_args()
    side = {"tiny": 64, "bundled": 128, "sd15": 512}[given.shape]
    asked = Asked(
        shape=given.shape,
        side=side,
        steps=given.steps,
        finish_steps=max(given.steps * 2 // 3, 1),
        overlap=side // 8,
        batch=given.batch,
        rounds=given.rounds,
    )
    measured = measure(asked)
    print(json.dumps(measured) if given.as_json else as_text(measured))
    return 0 if measured["met"] else 1


def measure(asked: Asked) -> dict[str, Any]:
    """The median seconds of each stage, ours and plain, measured in turn after one warm-up of both."""
    import torch

    from bench.networks import checkpoint_of

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = checkpoint_of(asked.shape, folder)
        ours, plain = ThroughTheEngine(asked, checkpoint, folder), Plainly(asked, checkpoint)
        for way in (ours, plain):
            way.portrait(0)
        pairs = [(ours.portrait(seed), plain.portrait(seed)) for seed in range(1, asked.rounds + 1)]
    stages = {
        stage: {
            "ours": round(statistics.median(one[stage] for one, _ in pairs), 3),
            "plain": round(statistics.median(other[stage] for _, other in pairs), 3),
        }
        for stage in STAGES
    }
    whole = {way: round(sum(stages[stage][way] for stage in STAGES), 3) for way in ("ours", "plain")}
    on_card = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if on_card else f"processor, {torch.get_num_threads()} threads"
    fast = whole["ours"] <= GOAL_SECONDS or not (on_card and asked.shape == "sd15")
    return {
        "device": device,
        "shape": asked.shape,
        "steps": asked.steps,
        "stages": stages,
        "whole": whole,
        "ratio": round(whole["ours"] / whole["plain"], 3),
        "met": fast and whole["ours"] <= GOAL_RATIO * whole["plain"],
    }


class ThroughTheEngine:
    """The engine as the studio asks it."""

    def __init__(self, asked: Asked, checkpoint: Path, folder: Path) -> None:
        from webui_engine.app import create_app
        from webui_engine.diffusion.engine import Engine
        from webui_engine.http.access import Access
        from webui_engine.http.options import OptionsStore
        from webui_engine.http.services import assemble

        engine = Engine([folder], checkpoints=[checkpoint])
        engine.load(checkpoint.name)
        held = assemble(
            engine,
            OptionsStore(folder / "options.json"),
            data=folder,
            models_dirs=(folder,),
            access=Access(),
            flags={"api_auth": None},
        )
        self._asked, self._client = asked, create_app(held).test_client()

    def portrait(self, seed: int) -> dict[str, float]:
        """Seconds of each stage."""
        asked = self._asked
        first, composition = _timed(lambda: self._ask("txt2img", seed, asked.steps))
        second, tone = _timed(
            lambda: self._ask("img2img", seed, asked.steps, init_images=[first], denoising_strength=TONE)
        )
        _, upscale = _timed(lambda: self._enlarged(second, seed))
        return dict(zip(STAGES, (composition, tone, upscale), strict=True))

    def _enlarged(self, picture: str, seed: int) -> str:
        asked = self._asked
        return self._ask(
            "img2img",
            seed,
            asked.finish_steps,
            init_images=[picture],
            denoising_strength=FINISH,
            height=asked.side,
            batch_size=asked.batch,
            script_name="SD upscale",
            script_args=["", asked.overlap, "Lanczos", SCALE],
        )

    def _ask(self, path: str, seed: int, steps: int, **fields: Any) -> str:
        body = {
            "prompt": PROMPT,
            "negative_prompt": NEGATIVE,
            "steps": steps,
            "width": self._asked.side,
            "height": self._asked.side * 3 // 2,
            "seed": seed,
            "cfg_scale": CFG,
            "sampler_name": "DPM++ 2M",
            "scheduler": "Karras",
        }
        answer = self._client.post(f"/sdapi/v1/{path}", json=body | fields)
        if answer.status_code != 200:
            raise RuntimeError(answer.get_data(as_text=True))
        picture: str = answer.get_json()["images"][0]
        return picture


class Plainly:
    """diffusers' own pipelines, as its documentation shows them, in the engine's precision."""

    def __init__(self, asked: Asked, checkpoint: Path) -> None:
        from diffusers import (
            DPMSolverMultistepScheduler,
            StableDiffusionImg2ImgPipeline,
            StableDiffusionPipeline,
        )

        from webui_engine.device import choose_device

        device = choose_device()
        self._asked, self._place = asked, device.place
        self._text = StableDiffusionPipeline.from_pretrained(
            checkpoint, dtype=device.dtype, safety_checker=None, local_files_only=True
        ).to(device.place)
        self._text.scheduler = DPMSolverMultistepScheduler.from_config(
            self._text.scheduler.config, use_karras_sigmas=True
        )
        self._picture = StableDiffusionImg2ImgPipeline(**self._text.components, requires_safety_checker=False)
        for pipeline in (self._text, self._picture):
            pipeline.set_progress_bar_config(disable=True)

    def portrait(self, seed: int) -> dict[str, float]:
        """Seconds of each stage."""
        asked = self._asked
        size = {"width": asked.side, "height": asked.side * 3 // 2}
        first, composition = _timed(lambda: self._drawn(self._text, seed, 1, asked.steps, **size)[0])
        second, tone = _timed(
            lambda: self._drawn(self._picture, seed, 1, asked.steps, image=[first], strength=TONE)[0]
        )
        _, upscale = _timed(lambda: self._enlarged(second, seed))
        return dict(zip(STAGES, (composition, tone, upscale), strict=True))

    def _drawn(self, pipeline: Any, seed: int, count: int, steps: int, **fields: Any) -> Any:
        import torch

        result = pipeline(
            [PROMPT] * count,
            negative_prompt=[NEGATIVE] * count,
            num_inference_steps=steps,
            guidance_scale=CFG,
            generator=torch.Generator().manual_seed(seed),
            **fields,
        )
        for picture in result.images:
            picture.save(io.BytesIO(), "PNG")
        return result.images

    def _enlarged(self, picture: Any, seed: int) -> Any:
        from PIL import Image

        from webui_engine.scripts.tiles import overlapping

        asked = self._asked
        large = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.LANCZOS)
        boxes = overlapping(large.size, (asked.side, asked.side), asked.overlap)
        for start in range(0, len(boxes), asked.batch):
            some = boxes[start : start + asked.batch]
            tiles = [large.crop(box) for box in some]
            painted = self._drawn(
                self._picture, seed, len(tiles), asked.finish_steps, image=tiles, strength=FINISH
            )
            for box, tile in zip(some, painted, strict=True):
                large.paste(tile, box[:2])
        return large


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def as_text(measured: dict[str, Any]) -> str:
    """The numbers as a table."""
    lines = [
        f"{measured['device']}: {measured['shape']}, {measured['steps']} steps",
        f"{'':14}{'ours':>10}{'plain':>10}",
    ]
    for stage, seconds in (*measured["stages"].items(), ("whole", measured["whole"])):
        lines.append(f"{stage:14}{seconds['ours']:>9} s{seconds['plain']:>9} s")
    lines.append(f"ours / plain: {measured['ratio']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

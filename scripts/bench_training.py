"""Measure the embedded trainer against the plain loop of diffusers and peft: `python scripts/bench_training.py`.

Prints steps and images a second, seconds to finish with set-up and saving, peak memory, the share of the device's
matrix peak, and how far the loss curves are apart. Made for a GPU (--shape sd15, the default there); on a processor it
runs the bundled model, or with --shape tiny a very small one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

if TYPE_CHECKING:
    from bench.networks import Shape
    from bench.training_loops import Course
    from training.embedded.plan import LearningPlan
    from training.port import TrainingRequest

GOAL_SECONDS, GOAL_RATIO_GPU, GOAL_RATIO_CPU = 20.0, 3.0, 1.5
TOLERANCE = 0.02
"""Of the mean loss: how far the curves may be apart, step by step, in the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is measured. shape: of the networks."""

    shape: Shape
    steps: int
    batch: int
    photos: int
    compiled: bool


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    import torch

    on_card = torch.cuda.is_available()
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument(
        "--shape", choices=["tiny", "bundled", "sd15"], default="sd15" if on_card else "bundled"
    )
    line.add_argument("--steps", type=int, default=200 if on_card else 30)
    line.add_argument("--batch", type=int, default=4)
    line.add_argument("--photos", type=int, default=10)
    line.add_argument("--compiled", action="store_true", help="compile the UNet, on a CUDA card")
    line.add_argument("--json", action="store_true", dest="as_json")
    given = line.parse_args()
    asked = Asked(
        shape=given.shape,
        steps=given.steps,
        batch=given.batch,
        photos=given.photos,
        compiled=given.compiled,
    )
    measured = measure(asked)
    print(json.dumps(measured) if given.as_json else as_text(measured))
    return 0 if measured["met"] else 1


def measure(asked: Asked) -> dict[str, Any]:
    """Both loops' numbers and what they say."""
    import torch

    from bench.networks import checkpoint_of
    from bench.training_loops import learn_plainly, learn_with_ours, matrix_peak
    from training.embedded.networks import training_device

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = request_for(asked, checkpoint_of(asked.shape, folder), folder)
        plan = plan_for(request)
        ours = learn_with_ours(request, plan)
        plain = learn_plainly(
            request, replace(plan, method=plan.method.model_copy(update={"compiled": False}))
        )
    device = training_device()
    peak = matrix_peak(device.place, device.dtype)
    on_card = device.is_cuda
    ratio = plain.step_seconds / ours.step_seconds
    apart = loss_distance(ours, plain)
    goal = GOAL_RATIO_GPU if on_card else GOAL_RATIO_CPU
    in_time = ours.whole_seconds <= GOAL_SECONDS or not (on_card and asked.shape == "sd15")
    return {
        "device": torch.cuda.get_device_name()
        if on_card
        else f"processor, {torch.get_num_threads()} threads",
        "shape": asked.shape,
        "steps": asked.steps,
        "batch": asked.batch,
        "compiled": asked.compiled,
        "ours": _numbers(ours, asked, peak),
        "plain": _numbers(plain, asked, peak),
        "times_faster": round(ratio, 2),
        "losses_apart": round(apart, 4),
        "met": ratio >= goal and apart <= TOLERANCE and in_time,
    }


def loss_distance(ours: Course, plain: Course) -> float:
    """The mean distance of the losses of equal steps, as a share of their mean."""
    pairs = list(zip(ours.losses, plain.losses, strict=True))
    return sum(abs(one - other) for one, other in pairs) / sum(other for _, other in pairs)


def request_for(asked: Asked, checkpoint: Path, folder: Path) -> TrainingRequest:
    """A training on photos of one person."""
    from tests.persons import astronaut
    from training.method import Method
    from training.port import TrainingPhoto, TrainingRequest

    photos = []
    for number, data in enumerate(astronaut(asked.photos)):
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        photos.append(TrainingPhoto(path=path, box=None))
    return TrainingRequest(
        photos=tuple(photos),
        checkpoint=checkpoint,
        instance_token="sks",
        class_noun="woman",
        output=folder / "learned.safetensors",
        work_folder=folder / "work",
        steps=asked.steps,
        batch_size=asked.batch,
        method=Method(compiled=asked.compiled),
    )


def plan_for(request: TrainingRequest) -> LearningPlan:
    """The trainer's own plan at its first crop size, so that every batch has one shape."""
    from training.embedded.networks import load_networks
    from training.embedded.plan import plan_learning

    model = load_networks(request.checkpoint)
    plan = plan_learning(request, model.unet.num_parameters(), model.native_size)
    return replace(plan, sizes=plan.sizes[:1], crops_per_photo=min(plan.crops_per_photo, 4))


def _numbers(course: Course, asked: Asked, peak: float) -> dict[str, float]:
    return {
        "steps_per_second": round(1 / course.step_seconds, 3),
        "images_per_second": round(asked.batch / course.step_seconds, 3),
        "seconds_to_finish": round(course.whole_seconds, 2),
        "peak_memory_gb": round(course.memory / 1e9, 2),
        "share_of_matrix_peak": round(course.flops / course.step_seconds / peak, 4),
        "first_loss": round(course.losses[0], 5),
        "last_loss": round(course.losses[-1], 5),
    }


def as_text(measured: dict[str, Any]) -> str:
    """The numbers as a table."""
    compiled = ", compiled" if measured["compiled"] else ""
    lines = [
        f"{measured['device']}: {measured['shape']}, {measured['steps']} steps of {measured['batch']}{compiled}",
        f"{'':24}{'ours':>12}{'plain':>12}",
    ]
    for name, value in measured["ours"].items():
        lines.append(f"{name.replace('_', ' '):24}{value:>12}{measured['plain'][name]:>12}")
    lines.append(f"times faster: {measured['times_faster']}; losses apart: {measured['losses_apart']:.2%}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

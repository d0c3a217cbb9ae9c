"""The measuring scripts and the experiments run at a very small size, and compare what they say they compare."""

from __future__ import annotations

from pathlib import Path

import bench_pipeline
import bench_training
import pytest
import torch

from bench.training_loops import Course
from experiments.arms import EXPERIMENTS, Claim
from experiments.course import Result
from experiments.pages import verdict


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_our_training_loop_and_the_plain_one_have_the_same_losses() -> None:
    asked = bench_training.Asked(shape="tiny", steps=3, batch=2, photos=2, compiled=False)
    measured = bench_training.measure(asked)
    assert measured["losses_apart"] < 1e-3
    for way in ("ours", "plain"):
        assert measured[way]["first_loss"] > 0
        assert 0 < measured[way]["share_of_matrix_peak"] < 1
    assert "images per second" in bench_training.as_text(measured)


def test_losses_that_differ_are_told_apart() -> None:
    def course(*losses: float) -> Course:
        return Course(losses=losses, whole_seconds=1, step_seconds=1, flops=1, memory=1)

    assert bench_training.loss_distance(course(1, 2), course(1, 2)) == 0
    assert bench_training.loss_distance(course(1, 2.5), course(1, 2)) == pytest.approx(0.5 / 3)


def test_the_portrait_is_measured_stage_by_stage_both_ways() -> None:
    asked = bench_pipeline.Asked(shape="tiny", side=64, steps=3, finish_steps=7, overlap=8, batch=2, rounds=1)
    measured = bench_pipeline.measure(asked)
    assert tuple(measured["stages"]) == bench_pipeline.STAGES
    assert all(seconds > 0 for stage in measured["stages"].values() for seconds in stage.values())
    assert "upscale" in bench_pipeline.as_text(measured)


def result(arm: str, seed: int, likeness: float) -> Result:
    return Result(
        arm=arm,
        seed=seed,
        likeness=likeness,
        obedience=0.5,
        leak=0.1,
        diversity=0.3,
        score=0.4,
        drift=None,
        loss=0.1,
        seconds=1.0,
    )


@pytest.mark.parametrize(
    ("ours", "word"),
    [
        ((0.6, 0.61, 0.62), "**held**"),
        ((0.1, 0.11, 0.12), "**did not hold**"),
        ((0.2, 0.9, 0.35), "**open**"),
    ],
)
def test_a_claim_holds_only_beyond_the_spread_of_its_seeds(ours: tuple[float, ...], word: str) -> None:
    claim = Claim(words="It is better.", arm="a", other="b", measure="likeness")
    others = [result("b", seed, likeness) for seed, likeness in enumerate((0.4, 0.41, 0.42))]
    assert "one seed alone" in verdict(claim, [result("a", 0, 0.9), others[0]])
    assert verdict(
        claim, [*others, *(result("a", seed, value) for seed, value in enumerate(ours))]
    ).startswith(word)


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_claim_compares_arms_of_its_experiment_and_the_overview_tells_of_it(name: str) -> None:
    experiment = EXPERIMENTS[name]
    arms = {arm.name for arm in experiment.arms}
    assert all({claim.arm, claim.other} <= arms for claim in experiment.claims)
    overview = Path(__file__).parents[3] / "docs" / "experiments" / "README.md"
    assert f"python scripts/experiment.py {name}" in overview.read_text(encoding="utf-8")

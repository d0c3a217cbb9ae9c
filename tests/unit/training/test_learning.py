"""The learning itself, on a small checkpoint, a few steps at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline
from safetensors import safe_open
from safetensors.torch import load_file

from training.embedded import run as running
from training.embedded.learning import LossNotANumber, NoiseSchedule, rate_at
from training.embedded.plan import plan_learning
from training.embedded.run import run
from training.port import TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _run(request: TrainingRequest) -> tuple[TrainedAdapter, list[TrainingProgress]]:
    told: list[TrainingProgress] = []
    return run(request, told.append), told


def test_the_adapter_is_in_kohya_s_layout_and_says_what_it_is(request_of_three: TrainingRequest) -> None:
    adapter, _ = _run(request_of_three)
    with safe_open(adapter.path, framework="pt") as stream:
        about, names = stream.metadata(), list(stream.keys())

    assert about["modelspec.trigger_phrase"] == "sks woman"
    assert about["modelspec.prediction_type"] == "epsilon"
    assert about["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert (about["ss_network_dim"], about["ss_steps"]) == ("2", "4")
    assert about["ss_sd_model_name"] == "small"
    assert all(name.startswith("lora_unet_") for name in names)
    assert {name.split(".", 1)[1] for name in names} == {"lora_down.weight", "lora_up.weight", "alpha"}
    assert not list(request_of_three.output.parent.glob(".*"))
    assert not request_of_three.work_folder.exists()


def test_nothing_in_the_file_tells_of_folders_or_photos(request_of_three: TrainingRequest) -> None:
    adapter, _ = _run(request_of_three)

    assert str(request_of_three.output.parent).encode() not in adapter.path.read_bytes()
    assert b".jpg" not in adapter.path.read_bytes()


def test_the_picture_pipeline_reads_the_file_and_draws_another_picture(
    request_of_three: TrainingRequest,
) -> None:
    adapter, _ = _run(replace(request_of_three, learning_rate=1e-2))
    pipeline = StableDiffusionPipeline.from_pretrained(request_of_three.checkpoint, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)

    def picture() -> torch.Tensor:
        source = torch.Generator().manual_seed(1)
        drawn = pipeline("photo of sks woman", height=64, width=64, num_inference_steps=2, generator=source)
        return torch.from_numpy(np.asarray(drawn.images[0], dtype=np.float32))

    without = picture()
    pipeline.load_lora_weights(str(adapter.path.parent), weight_name=adapter.path.name)

    assert (picture() - without).abs().mean() > 0.1


def test_progress_goes_through_every_phase_and_never_back(request_of_three: TrainingRequest) -> None:
    _, told = _run(request_of_three)

    assert list(dict.fromkeys(progress.phase for progress in told)) == list(TrainingPhase)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] <= fractions[-1] <= 1.0


def test_earlier_states_are_kept_as_whole_adapters_beside_the_last(request_of_three: TrainingRequest) -> None:
    adapter, _ = _run(replace(request_of_three, learning_rate=1e-2))

    files = [candidate.path for candidate in adapter.candidates] + [adapter.path]
    assert [candidate.steps for candidate in adapter.candidates] == [2, 3]
    assert [candidate.sha256 for candidate in adapter.candidates] == [
        hashlib.sha256(candidate.path.read_bytes()).hexdigest() for candidate in adapter.candidates
    ]
    weights = [load_file(file) for file in files]
    name = next(name for name in weights[0] if name.endswith("lora_up.weight"))
    assert not any(torch.equal(one[name], other[name]) for one, other in combinations(weights, 2))
    for file, steps in zip(files, ("2", "3", "4"), strict=True):
        with safe_open(file, framework="pt") as stream:
            assert stream.metadata()["ss_steps"] == steps


class _Crash(Exception):
    pass


def _states(adapter: TrainedAdapter) -> list[tuple[int, Path]]:
    earlier = [(candidate.steps, candidate.path) for candidate in adapter.candidates]
    return [*earlier, (adapter.steps, adapter.path)]


def test_a_training_that_crashed_goes_on_and_ends_with_the_same_adapter(
    request_of_three: TrainingRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, _ = _run(
        replace(request_of_three, output=tmp_path / "whole.safetensors", work_folder=tmp_path / "other")
    )
    monkeypatch.setattr(running, "SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(running, "SAVE_AT_MOST", 0.0)
    monkeypatch.setattr(running, "REPORT_EVERY_SECONDS", 0.0)

    def crash(progress: TrainingProgress) -> None:
        if progress.step == 3:
            raise _Crash

    with pytest.raises(_Crash):
        run(request_of_three, crash)
    resumed, told = _run(request_of_three)

    assert min(progress.step for progress in told if progress.phase is TrainingPhase.LEARNING) == 4
    for (steps, one), (as_many, other) in zip(_states(whole), _states(resumed), strict=True):
        expected, found = load_file(one), load_file(other)
        assert steps == as_many
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize(
    "spoil", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"x" + data]
)
def test_state_that_cannot_be_read_means_a_fresh_start(
    request_of_three: TrainingRequest, monkeypatch: pytest.MonkeyPatch, spoil: object
) -> None:
    request_of_three.work_folder.mkdir()
    state = request_of_three.work_folder / "state.pt"
    torch.save({"key": "another", "parameters": []}, state)
    assert callable(spoil)
    state.write_bytes(spoil(state.read_bytes()))

    adapter, _ = _run(replace(request_of_three, steps=1))

    assert adapter.path.is_file()


def test_state_of_other_photos_is_not_taken_up(
    request_of_three: TrainingRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(running, "SAVE_AT_MOST", 0.0)
    monkeypatch.setattr(running, "REPORT_EVERY_SECONDS", 0.0)

    def crash(progress: TrainingProgress) -> None:
        if progress.step == 2:
            raise _Crash

    with pytest.raises(_Crash):
        run(request_of_three, crash)
    _, told = _run(replace(request_of_three, photos=request_of_three.photos[:2]))

    assert min(progress.step for progress in told if progress.phase is TrainingPhase.LEARNING) == 1


def test_a_diverging_training_is_named(request_of_three: TrainingRequest) -> None:
    with pytest.raises(LossNotANumber):
        _run(replace(request_of_three, learning_rate=1e30, steps=8))


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_the_target_is_what_the_checkpoint_predicts_and_weights_follow_min_snr(kind: str) -> None:
    config = {
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "prediction_type": kind,
    }
    schedule = NoiseSchedule(config, 5.0, torch.device("cpu"))
    latents, noise = torch.randn(2, 1, 2, 2), torch.randn(2, 1, 2, 2)
    times = torch.tensor([10, 900])
    alphas = DDPMScheduler.from_config(config).alphas_cumprod[times]
    snr = alphas / (1 - alphas)
    a, b = alphas.sqrt().view(-1, 1, 1, 1), (1 - alphas).sqrt().view(-1, 1, 1, 1)
    expected = noise if kind == "epsilon" else a * noise - b * latents

    assert torch.allclose(schedule.target(latents, noise, times), expected, atol=1e-5)
    divisor = snr if kind == "epsilon" else snr + 1
    assert torch.allclose(schedule.weights(times), snr.clamp(max=5) / divisor, rtol=1e-3)


def test_the_learning_rate_rises_and_falls(request_of_three: TrainingRequest) -> None:
    plan = plan_learning(replace(request_of_three, steps=200), 9_000_000, 128)
    rates = [rate_at(step, range(200), plan) for step in range(200)]

    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) in {plan.warmup_steps - 1, plan.warmup_steps}
    assert rates[0] < 0.1
    assert rates[-1] < 0.02

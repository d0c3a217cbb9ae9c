"""What goes wrong inside the networks is told, and the engine goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.webui_engine.small_models import Recorder, pixels, small_task
from webui_engine.device import Device, choose_device, memory_guard, precision_on
from webui_engine.diffusion.engine import Engine
from webui_engine.errors import BadValue, CheckpointBroken, NotANumber, OutOfMemory


@pytest.fixture
def engine(small_models: Path) -> Engine:
    engine = Engine([small_models], device="cpu")
    engine.load("small")
    return engine


@pytest.mark.parametrize(("part", "layer"), [("unet", "conv_out"), ("vae", "post_quant_conv")])
def test_values_that_are_no_numbers_are_not_given_out_as_a_black_picture(
    engine: Engine, part: str, layer: str
) -> None:
    weight = getattr(getattr(engine._ready().model, part), layer).weight
    sound = weight.data.clone()
    weight.data.fill_(float("nan"))

    with pytest.raises(NotANumber) as failed:
        engine.generate(small_task(), Recorder())

    assert failed.value.stage == part
    weight.data.copy_(sound)
    assert pixels(engine.generate(small_task(), Recorder()).pictures[0].image).std() > 0


def test_too_large_a_request_for_memory_is_an_error_of_ours() -> None:
    with pytest.raises(OutOfMemory, match="painting a wall"), memory_guard("painting a wall"):
        torch.empty(1 << 60, dtype=torch.uint8)


def test_other_errors_pass_the_memory_guard() -> None:
    with pytest.raises(RuntimeError, match="something else"), memory_guard("painting"):
        raise RuntimeError("something else")


def test_the_device_may_be_named_and_decides_the_precision() -> None:
    assert choose_device("cpu") == Device(torch.device("cpu"), torch.float32)
    assert [precision_on(kind) for kind in ("cuda", "mps", "cpu")] == [
        torch.float16,
        torch.float32,
        torch.float32,
    ]


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:99", "meta", "mps:7"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(BadValue, match=name):
        choose_device(name)


def test_without_a_name_the_best_device_is_taken() -> None:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}

    assert choose_device().place.type == next(kind for kind, is_there in there.items() if is_there)


def test_of_a_librarys_long_complaint_only_the_first_line_is_told() -> None:
    assert CheckpointBroken(Path("a/b.pth"), ValueError("first\nsecond")).reason == "first"


def test_without_cuda_there_is_no_cuda_memory_to_tell_of(engine: Engine) -> None:
    assert engine.memory() is None


def test_a_picture_after_a_failure_is_the_same_as_before(engine: Engine) -> None:
    before = pixels(engine.generate(small_task(), Recorder()).pictures[0].image)
    with pytest.raises(Exception, match="sampler"):
        engine.generate(small_task(sampler="none such", prompt="a <lora:x:1>"), Recorder())

    assert np.array_equal(before, pixels(engine.generate(small_task(), Recorder()).pictures[0].image))


def test_an_autoencoder_that_overflows_in_half_precision_goes_on_in_single(engine: Engine) -> None:
    autoencoder = engine._ready().model.vae
    autoencoder.to(torch.float16)
    autoencoder.post_quant_conv.weight.data.fill_(3e4)

    made = engine.generate(small_task(), Recorder())

    assert autoencoder.dtype == torch.float32
    assert pixels(made.pictures[0].image).std() > 0

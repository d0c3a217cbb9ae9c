"""Motion modules: found, read in both layouts, joined to a denoiser without a copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.unit.webui_engine.small_models import small_motion_adapter
from webui_engine.animatediff.modules import MotionModules, Upbringing, joined
from webui_engine.device import choose_device
from webui_engine.diffusion.checkpoints import find_checkpoint, scan_checkpoints
from webui_engine.diffusion.engine import Engine
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.model import Model
from webui_engine.errors import BadValue, CheckpointBroken, UnknownName


@pytest.fixture(scope="module")
def model(moving_models: Path) -> Model:
    info = find_checkpoint("small", scan_checkpoints([moving_models]))
    return load_model(info, choose_device("cpu"), [moving_models])


def test_they_are_listed_by_their_files_names(moving_models: Path) -> None:
    names = [info.name for info in MotionModules([moving_models]).listing()]
    assert names == ["broken.ckpt", "mm-small-folder", "mm_small.safetensors"]


def test_those_for_other_checkpoints_are_told_apart_without_reading_them(
    moving_models: Path, bundled_models: Path, model: Model, tmp_path: Path
) -> None:
    folders = [moving_models, bundled_models, tmp_path]
    (tmp_path / "animatediff").mkdir()
    (tmp_path / "animatediff" / "mm_sd_v14.ckpt").write_bytes(b"weights of Stable Diffusion 1")
    names = [info.name for info in MotionModules(folders).fitting(model)]
    assert names == ["mm-small-folder", "mm_small.safetensors"]


def test_an_ending_may_be_left_out(moving_models: Path) -> None:
    assert MotionModules([moving_models]).find("mm_small").name == "mm_small.safetensors"


def test_an_unknown_one_is_refused_with_those_there_are(moving_models: Path) -> None:
    with pytest.raises(UnknownName, match=r"mm_small\.safetensors"):
        MotionModules([moving_models]).find("mm_sd_v14.ckpt")


@torch.inference_mode()
def test_both_layouts_are_the_same_network(moving_models: Path, model: Model) -> None:
    modules = MotionModules([moving_models])
    inputs, vectors = torch.randn(1, 4, 5, 8, 8), torch.randn(5, 77, 64)
    answers = [
        modules.join(name, model)(inputs, torch.tensor(500), vectors).sample
        for name in ("mm_small.safetensors", "mm-small-folder")
    ]
    assert torch.equal(*answers)


@torch.inference_mode()
def test_the_denoiser_is_shared_and_not_copied(model: Model) -> None:
    network = joined(model.unet, small_motion_adapter())
    theirs = {parameter.data_ptr() for parameter in network.parameters()}
    assert {parameter.data_ptr() for parameter in model.unet.parameters()} <= theirs
    assert not any(parameter.is_meta for parameter in network.parameters())


@torch.inference_mode()
def test_a_module_that_ends_in_zeros_leaves_the_pictures_as_they_are(model: Model) -> None:
    adapter = small_motion_adapter()
    for name, parameter in adapter.named_parameters():
        if ".proj_out." in name:
            parameter.zero_()
    inputs, vectors = torch.randn(3, 4, 8, 8), torch.randn(3, 77, 64)
    still = model.unet(inputs, torch.tensor(300), vectors).sample
    moving = joined(model.unet, adapter)(inputs.transpose(0, 1)[None], torch.tensor(300), vectors).sample
    assert torch.allclose(moving[0].transpose(0, 1), still, atol=1e-5)


def test_what_is_no_motion_module_is_broken(moving_models: Path, model: Model) -> None:
    with pytest.raises(CheckpointBroken, match=r"broken\.ckpt"):
        MotionModules([moving_models]).join("broken.ckpt", model)


def test_one_for_another_family_does_not_fit(bundled_models: Path, model: Model) -> None:
    with pytest.raises(BadValue, match="another family"):
        MotionModules([bundled_models]).join("sajin-tiny-motion", model)


def test_only_the_bundled_one_tells_what_it_was_trained_with(
    moving_engine: Engine, bundled_engine: Engine
) -> None:
    assert {info.upbringing for info in moving_engine.motion_modules()} == {Upbringing("linear", False)}
    (bundled,) = bundled_engine.motion_modules()
    assert bundled.upbringing == Upbringing("scaled_linear", True)

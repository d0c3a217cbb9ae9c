"""Families are told from shapes alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.settings import BUNDLED_CHECKPOINT
from tests.stand_ins.kohya import write_checkpoint
from training.errors import TrainerObstacle, TrainerUnusable
from training.kohya.checkpoint import Family, family_of


def refusal(checkpoint: Path) -> str:
    with pytest.raises(TrainerUnusable) as refused:
        family_of(checkpoint)
    assert refused.value.obstacle is TrainerObstacle.CHECKPOINT_UNFIT
    assert checkpoint.name in refused.value.reason
    return refused.value.reason


def test_the_width_of_the_text_embeddings_tells_the_family(tmp_path: Path) -> None:
    assert family_of(write_checkpoint(tmp_path / "a.safetensors")) is Family.SD15
    assert family_of(write_checkpoint(tmp_path / "b.safetensors", block=4, width=2048)) is Family.SDXL


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"width": 1024}, "Stable Diffusion 2"),
        ({"block": 4, "width": 1280}, "the SDXL refiner"),
        ({"channels": 9}, "inpainting"),
        ({"block": 7}, "another family"),
    ],
)
def test_another_family_is_refused_by_name(shape: dict[str, int], words: str, tmp_path: Path) -> None:
    assert words in refusal(write_checkpoint(tmp_path / "model.safetensors", **shape))


def folder_with(tmp_path: Path, config: object) -> Path:
    (tmp_path / "model" / "unet").mkdir(parents=True)
    (tmp_path / "model" / "unet" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path / "model"


def test_a_diffusers_folder_is_told_by_its_config(tmp_path: Path) -> None:
    config = {"in_channels": 4, "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768}
    assert family_of(folder_with(tmp_path, config)) is Family.SD15


@pytest.mark.parametrize("config", [{}, [], "text", {"in_channels": "four"}, {"block_out_channels": []}])
def test_a_config_without_sense_is_refused(config: object, tmp_path: Path) -> None:
    refusal(folder_with(tmp_path, config))


def test_the_bundled_model_is_refused() -> None:
    assert "sajin-tiny" in refusal(BUNDLED_CHECKPOINT)


@pytest.mark.parametrize("name", ["broken.safetensors", "pickle.ckpt"])
def test_a_file_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xff" * 100)
    refusal(tmp_path / name)
    assert "cannot be read" in refusal(tmp_path / "missing.safetensors")

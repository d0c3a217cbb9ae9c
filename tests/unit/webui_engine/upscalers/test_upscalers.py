"""Enlarging pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.unit.webui_engine.small_models import pixels, rrdb_state
from webui_engine.device import choose_device
from webui_engine.errors import CheckpointBroken, UnknownName
from webui_engine.upscalers import esrgan
from webui_engine.upscalers.listing import Upscalers


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("upscalers")
    (models / "ESRGAN").mkdir()
    torch.save(rrdb_state(), models / "ESRGAN" / "4x-Random.pth")
    save_file(rrdb_state(), models / "ESRGAN" / "another.safetensors")
    torch.save({"params_ema": rrdb_state()}, models / "ESRGAN" / "wrapped.pth")
    (models / "ESRGAN" / "broken.pth").write_bytes(b"nothing")
    (models / "ESRGAN" / "notes.txt").write_text("not a network")
    return models


@pytest.fixture
def upscalers(models: Path) -> Upscalers:
    return Upscalers([models], choose_device("cpu"))


@pytest.fixture(scope="module")
def small(astronaut: Image.Image) -> Image.Image:
    return astronaut.resize((40, 32))


def test_the_built_in_upscalers_come_first_and_files_follow_by_name(upscalers: Upscalers) -> None:
    names = [info.name for info in upscalers.listing()]

    assert names == ["None", "Lanczos", "Nearest", "4x-Random", "another", "broken", "wrapped"]


@pytest.mark.parametrize("name", ["None", "Lanczos", "Nearest", "4x-Random", "another", "wrapped"])
def test_every_upscaler_gives_exactly_the_asked_size(
    upscalers: Upscalers, small: Image.Image, name: str
) -> None:
    assert upscalers.upscale(small, name, 100, 84).size == (100, 84)


def test_nearest_repeats_pixels(upscalers: Upscalers, small: Image.Image) -> None:
    doubled = pixels(upscalers.upscale(small, "Nearest", 80, 64))

    assert np.array_equal(doubled[::2, ::2], pixels(small))
    assert np.array_equal(doubled[1::2, 1::2], pixels(small))


def test_the_file_formats_hold_the_same_network(upscalers: Upscalers, small: Image.Image) -> None:
    made = {
        upscalers.upscale(small, name, 160, 128).tobytes() for name in ("4x-Random", "another", "wrapped")
    }

    assert len(made) == 1


def test_tiles_leave_no_seams(models: Path, astronaut: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    network = esrgan.load_network(models / "ESRGAN" / "4x-Random.pth", choose_device("cpu"))
    picture = astronaut.resize((96, 80))
    whole = pixels(network.enlarge(picture))
    monkeypatch.setattr(esrgan, "TILE", 48)
    monkeypatch.setattr(esrgan, "OVERLAP", 24)

    tiled = pixels(network.enlarge(picture))

    assert np.abs(tiled - whole).max() <= 1


def test_a_network_is_applied_again_until_the_picture_is_large_enough(
    upscalers: Upscalers, small: Image.Image
) -> None:
    larger = upscalers.upscale(small, "4x-Random", 640, 512)
    twice = upscalers.upscale(upscalers.upscale(small, "4x-Random", 160, 128), "4x-Random", 640, 512)

    assert np.array_equal(pixels(larger), pixels(twice))


def test_an_unknown_upscaler_is_refused(upscalers: Upscalers, small: Image.Image) -> None:
    with pytest.raises(UnknownName) as refused:
        upscalers.upscale(small, "R-ESRGAN 4x+", 80, 64)

    assert "Lanczos" in refused.value.available


def test_a_file_that_is_no_network_is_named(upscalers: Upscalers, small: Image.Image) -> None:
    with pytest.raises(CheckpointBroken, match=r"broken\.pth"):
        upscalers.upscale(small, "broken", 80, 64)


def test_loading_a_network_needs_no_torchvision_and_leaves_spandrel_importable(models: Path) -> None:
    """In a process of its own, where torchvision cannot be imported whatever is installed."""
    program = f"""
import sys
sys.modules["torchvision"] = None
from pathlib import Path
from webui_engine.device import choose_device
from webui_engine.upscalers.esrgan import load_network
assert load_network(Path({str(models / "ESRGAN" / "4x-Random.pth")!r}), choose_device("cpu")).scale == 4
assert "spandrel" not in sys.modules
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr

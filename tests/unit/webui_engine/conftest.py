"""Engines for the tests: one on the bundled model, one on a small random model of another shape."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data

from tests.unit.webui_engine.small_models import save_small_checkpoint, save_small_ip_adapter
from webui_engine.diffusion.engine import Engine

BUNDLED = Path(__file__).parents[3] / "webui_engine" / "models"


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def bundled_models() -> Path:
    return BUNDLED


@pytest.fixture(scope="session")
def bundled_engine() -> Engine:
    """The engine as it is shipped; tests leave it as they found it."""
    engine = Engine([BUNDLED], device="cpu")
    engine.load("sajin-tiny")
    return engine


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a random checkpoint in Stable Diffusion 1's form, 4 latent channels, noise prediction."""
    models = tmp_path_factory.mktemp("models")
    save_small_checkpoint(models / "Stable-diffusion" / "small")
    return models


@pytest.fixture(scope="session")
def small_engine(small_models: Path) -> Engine:
    """An engine on the random checkpoint; tests leave it as they found it."""
    engine = Engine([small_models], device="cpu")
    engine.load("small")
    return engine


@pytest.fixture(scope="session")
def adapter_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a random checkpoint, a random IP-Adapter for it and what reads pictures for that."""
    models = tmp_path_factory.mktemp("adapters")
    pipeline = save_small_checkpoint(models / "Stable-diffusion" / "small")
    save_small_ip_adapter(models, "ip-adapter_sd15", pipeline.unet)
    return models


@pytest.fixture(scope="session")
def adapter_engine(adapter_models: Path) -> Engine:
    """An engine on those; tests leave it as they found it."""
    engine = Engine([adapter_models], device="cpu")
    engine.load("small")
    return engine


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())

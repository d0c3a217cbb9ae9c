"""An engine on a small random checkpoint with a small random motion module and a LoRA."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.contract.recorded_models import save_lora
from tests.unit.webui_engine.small_models import (
    save_small_checkpoint,
    save_small_motion_module,
    small_motion_adapter,
)
from webui_engine.diffusion.engine import Engine


@pytest.fixture(scope="session")
def moving_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the same random motion module in both layouts, and one for other checkpoints."""
    models = tmp_path_factory.mktemp("moving")
    save_small_checkpoint(models / "Stable-diffusion" / "small")
    adapter = small_motion_adapter()
    save_small_motion_module(models / "animatediff" / "mm_small.safetensors", adapter)
    adapter.save_pretrained(models / "animatediff" / "mm-small-folder")
    torch.save({"state_dict": {"module.nothing": torch.zeros(1)}}, models / "animatediff" / "broken.ckpt")
    save_lora(models / "Lora" / "tinylora.safetensors", strength=3.0)
    return models


@pytest.fixture(scope="session")
def moving_engine(moving_models: Path) -> Engine:
    """An engine on those; tests leave it as they found it."""
    engine = Engine([moving_models], device="cpu")
    engine.load("small")
    return engine

"""From an empty models folder to products that can be made: the doctor, the commands it names, and the engine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from diffusers import ControlNetModel
from safetensors.torch import save_file

from command_line.model_table import RecommendedModel, read_table
from command_line.programs import child_environment
from command_line.readiness import answers
from studio.settings import REPOSITORY, Settings
from tests.hub import Hub, HubFile
from tests.running_studio import free_settings
from tests.unit.webui_engine.ldm_writer import ldm_control_state, write_ldm_file
from tests.unit.webui_engine.small_models import small_pipeline

HINT_CHANNELS = (16, 32, 96, 256)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Random weights in place of the recommended ones, in the layout that those have."""
    folder = tmp_path_factory.mktemp("weights")
    pipeline = small_pipeline()
    network = ControlNetModel.from_unet(pipeline.unet, conditioning_embedding_out_channels=HINT_CHANNELS)
    save_file(ldm_control_state(network, "control_model."), folder / "control.safetensors")
    control = (folder / "control.safetensors").read_bytes()
    checkpoint = write_ldm_file(pipeline, folder / "checkpoint.safetensors").read_bytes()
    return {"sd15": checkpoint, "tile": control, "openpose": control, "mediapipe-face": control}


@pytest.fixture
def hub(small: dict[str, bytes], tmp_path: Path) -> Iterator[Hub]:
    """A hub that has them, and a table of models that names them as the real one does."""
    with Hub() as hub:
        rows = [_shrunk(model, small[model.name], hub) for model in _real_table() if model.name in small]
        (tmp_path / "models.yaml").write_text(yaml.safe_dump(rows))
        yield hub


def _real_table() -> tuple[RecommendedModel, ...]:
    return read_table(REPOSITORY / "webui_engine" / "models.yaml")


def _shrunk(model: RecommendedModel, content: bytes, hub: Hub) -> dict[str, object]:
    hub.files[f"{model.repo}/{model.revision}/{model.file}"] = HubFile(content=content)
    told: dict[str, object] = json.loads(model.model_dump_json())
    return told | {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_the_commands_that_the_doctor_names_make_products_possible(hub: Hub, tmp_path: Path) -> None:
    settings = free_settings(tmp_path / "data", models_table=tmp_path / "models.yaml")
    sajin("models", "get", "sd15", settings=settings, hub=hub)
    small_pipeline().tokenizer.save_pretrained(settings.models_folder / "tokenizer")
    checkpoint = settings.models_folder / "Stable-diffusion" / "v1-5-pruned-emaonly.safetensors"
    drawing = settings.model_copy(update={"checkpoint": checkpoint})
    engine = subprocess.Popen([sys.executable, "-m", "command_line", "engine"], env=environment(drawing, hub))
    try:
        wait_for(engine, drawing)
        before = sajin("doctor", settings=drawing, hub=hub)
        for name in ("tile", "openpose", "mediapipe-face"):
            command = f"sajin models get {name}"
            assert command in before
            sajin(*command.split()[1:], settings=drawing, hub=hub)
        after = sajin("doctor", settings=drawing, hub=hub)
    finally:
        engine.terminate()
        engine.wait(30)
    presets = len(list((REPOSITORY / "presets").glob("*.yaml")))
    beyond = len(list((REPOSITORY / "presets").glob("animated*.yaml"))) + 1  # motion of real width, and SDXL
    assert re.search(rf"products wrong only \d+ of {presets} can be made", before)
    assert f"only {presets - beyond} of {presets} can be made" in after
    assert "sajin models get" not in after
    assert "no motion module mm_sd_v14.ckpt" in after
    assert "no checkpoint of SDXL, which instant-id is for" in after


def environment(settings: Settings, hub: Hub) -> dict[str, str]:
    return {**os.environ, **child_environment(settings), "HF_ENDPOINT": hub.url, "COLUMNS": "400"}


def sajin(*arguments: str, settings: Settings, hub: Hub) -> str:
    """What the command writes to standard output, on one line."""
    done = subprocess.run(
        [sys.executable, "-m", "command_line", *arguments],
        env=environment(settings, hub),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return " ".join(done.stdout.split())


def wait_for(engine: subprocess.Popen[bytes], settings: Settings, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answers(f"{settings.server_urls[0]}/internal/sajin"):
        assert engine.poll() is None, "the engine has ended"
        assert time.monotonic() < deadline, "the engine did not start"
        time.sleep(0.1)

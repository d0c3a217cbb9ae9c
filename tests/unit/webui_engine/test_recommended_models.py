"""The recommended models lie where the engine looks for them, under the names that presets ask for."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from command_line.model_table import RecommendedModel, read_table
from command_line.programs import child_environment, engine_command
from studio.settings import REPOSITORY
from tests.hub import Hub, HubFile
from tests.running_studio import free_settings
from tests.unit.webui_engine.small_models import rrdb_state
from webui_engine.adetailer.detectors import Detectors
from webui_engine.animatediff.modules import MotionModules
from webui_engine.controlnet.adapters import Adapters
from webui_engine.controlnet.models import ControlNets
from webui_engine.device import choose_device
from webui_engine.diffusion.checkpoints import scan_checkpoints
from webui_engine.upscalers.listing import Upscalers

TABLE = read_table(REPOSITORY / "webui_engine" / "models.yaml")
FOR_THE_ENGINE = [model for model in TABLE if model.engine]


def listed(models: Path, kind: str) -> tuple[str, ...]:
    """What the engine lists of a kind in a models folder."""
    if kind == "checkpoint":
        return tuple(info.title for info in scan_checkpoints([models]))
    if kind == "ControlNet":
        return tuple(info.name for info in ControlNets([models]).listing())
    if kind == "IP-Adapter":
        networks = ControlNets([models])
        modules = Adapters([models], networks).modules()
        return tuple(info.name for info in networks.listing()) + tuple(module.name for module in modules)
    if kind == "motion module":
        return tuple(info.name for info in MotionModules([models]).listing())
    if kind == "upscaler":
        return tuple(info.name for info in Upscalers([models], choose_device("cpu")).listing())
    return Detectors([models / "adetailer"]).names()


@pytest.mark.parametrize("model", FOR_THE_ENGINE, ids=lambda model: model.name)
def test_the_engine_lists_it_under_a_name_that_presets_ask_for(
    model: RecommendedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if model.engine_package is not None:
        (tmp_path / f"{model.engine_package}.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
    place = tmp_path / str(model.engine)
    before = listed(tmp_path, model.kind)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"weights")
    (new,) = set(listed(tmp_path, model.kind)).difference(before)
    assert all(model.serves_as(served.kind, [new]) for served in model.serves)


def test_every_kind_of_part_has_one() -> None:
    kinds = "checkpoint", "ControlNet", "motion module", "IP-Adapter", "detector", "upscaler"
    assert {model.kind for model in TABLE} == set(kinds)


def test_no_model_is_offered_that_excludes_commercial_use() -> None:
    words = " ".join(f"{model.licence.name} {model.licence.terms} {model.repo}" for model in TABLE).casefold()
    assert not any(word in words for word in ("nc-", "non-commercial", "research", "insightface"))


def test_what_the_table_leaves_to_the_hubs_word_is_told_in_the_document() -> None:
    told = (REPOSITORY / "docs" / "models.md").read_text("utf-8")
    loose = [model.name for model in TABLE if model.sha256 is None or model.size is None]
    assert [name for name in loose if f"`{name}`" not in told] == []


@pytest.mark.parametrize("model", TABLE, ids=lambda model: model.name)
def test_the_document_names_it_with_its_licence(model: RecommendedModel) -> None:
    rows = (REPOSITORY / "docs" / "models.md").read_text("utf-8").splitlines()
    (row,) = [row for row in rows if row.startswith(f"| `{model.name}` |")]
    assert model.licence.name in row
    assert (model.sha256 or "by the hub")[:12] in row
    assert (f"{model.size:,}" if model.size else "by the hub") in row


def test_a_downloaded_upscaler_enlarges_a_picture(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    torch.save(rrdb_state(), weights)
    settings = free_settings(tmp_path / "data", models_table=tmp_path / "models.yaml")
    (real,) = [model for model in TABLE if model.name == "real-esrgan"]
    content = weights.read_bytes()
    small = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    settings.models_table.write_text(yaml.safe_dump([json.loads(real.model_dump_json()) | small]))
    with Hub() as hub:
        hub.files[f"{real.repo}/{real.revision}/{real.file}"] = HubFile(content=content)
        command = [sys.executable, "-m", "command_line", "models", "get", "real-esrgan"]
        environment = {**os.environ, **child_environment(settings), "HF_ENDPOINT": hub.url}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    assert f"--models {settings.models_folder}" in " ".join(engine_command(settings))
    upscalers = Upscalers([settings.models_folder], choose_device("cpu"))
    assert upscalers.upscale(Image.new("RGB", (16, 16), "red"), "R-ESRGAN 4x+", 64, 64).size == (64, 64)

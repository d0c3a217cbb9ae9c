"""The server under the contract tests: our engine as a real process, or the WebUI named by SAJIN_TEST_WEBUI."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import torch
from diffusers import UNet2DConditionModel
from safetensors import safe_open
from safetensors.numpy import save_file

from tests.contract import recorded_models
from tests.contract.engine_process import REPOSITORY, EngineProcess, running
from tests.unit.webui_engine.ldm_writer import write_ldm_file
from tests.unit.webui_engine.small_models import TOKENIZER, rrdb_state, save_small_ip_adapter, small_pipeline
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient
from webui_client.values import Timeouts

START_SECONDS = 90
BUNDLED_UNET = REPOSITORY / "webui_engine" / "models" / "Stable-diffusion" / "sajin-tiny" / "unet"


@pytest.fixture(scope="session")
def webui_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The root of a running WebUI."""
    if named := os.environ.get("SAJIN_TEST_WEBUI"):
        yield named
        return
    folder = tmp_path_factory.mktemp("engine")
    save_lora(folder / "loras" / "contract.safetensors")
    save_models(folder / "models")
    arguments = ("--lora-dir", folder / "loras", "--models", folder / "models")
    with running(folder / "data", *arguments) as engine:
        yield engine.url


@pytest.fixture(scope="session")
def recorded_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine with models under the names of the recorded server's."""
    with _as_recorded(tmp_path_factory.mktemp("recorded")) as engine:
        yield engine


@pytest.fixture(scope="session")
def guarded_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """The same, started with --api-auth as the recorded one was."""
    with _as_recorded(tmp_path_factory.mktemp("guarded"), "--api-auth", "user:pass") as engine:
        yield engine


@contextlib.contextmanager
def _as_recorded(folder: Path, *arguments: str) -> Iterator[EngineProcess]:
    recorded_models.build(folder / "models")
    (folder / "data").mkdir()
    (folder / "data" / "styles.csv").write_text(recorded_models.STYLES, encoding="utf-8")
    models = ("--models", folder / "models", "--checkpoint", "tiny-random-a")
    with running(folder / "data", *models, *arguments) as engine:
        yield engine


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.fixture(scope="session")
def client(webui_url: str) -> Iterator[WebuiClient]:
    one = WebuiClient(webui_url, timeouts=Timeouts(connect=5, read=60, generation=300, poll=0.1))
    one.wait_until_ready(START_SECONDS)
    yield one
    one.close()


@pytest.fixture(scope="session")
def server(client: WebuiClient) -> Capabilities:
    """What the server under test can do."""
    return client.probe()


def save_models(folder: Path) -> None:
    """What the bundled models lack: checkpoints, an ESRGAN network, an IP-Adapter; all random.

    One checkpoint is in one file with its tokenizer beside it, another is the bundled one with another denoiser, which
    may finish what that began.
    """
    checkpoint = write_ldm_file(small_pipeline(), folder / "Stable-diffusion" / "one-file.safetensors")
    shutil.copytree(TOKENIZER, checkpoint.with_suffix(".tokenizer"))
    (folder / "ESRGAN").mkdir()
    torch.save(rrdb_state(), folder / "ESRGAN" / "4x-Random.pth")
    unet = UNet2DConditionModel.from_pretrained(BUNDLED_UNET, local_files_only=True)
    save_small_ip_adapter(folder, "ip-adapter_sd15", unet, width=int(unet.config.cross_attention_dim))
    save_finisher(folder / "Stable-diffusion" / "finisher", unet)


def save_finisher(path: Path, unet: UNet2DConditionModel) -> None:
    """The bundled checkpoint with a little noise on its denoiser."""
    shutil.copytree(BUNDLED_UNET.parent, path, ignore=shutil.ignore_patterns("unet", "sajin.json"))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in unet.parameters():
            weight.add_(torch.randn_like(weight) * weight.std() * 0.2)
    unet.save_pretrained(path / "unet")


def save_lora(path: Path, rank: int = 2) -> None:
    """Write a LoRA in kohya's layout on one projection of the bundled model's UNet."""
    path.parent.mkdir()
    with safe_open(next(BUNDLED_UNET.glob("*.safetensors")), framework="numpy") as unet:
        key = next(name for name in unet.keys() if name.endswith("attn1.to_q.weight"))  # noqa: SIM118
        outward, inward = unet.get_slice(key).get_shape()
    stem = "lora_unet_" + key.removesuffix(".weight").replace(".", "_")
    random = np.random.default_rng(0)
    tensors = {
        f"{stem}.lora_down.weight": random.normal(size=(rank, inward)).astype(np.float32),
        f"{stem}.lora_up.weight": random.normal(size=(outward, rank)).astype(np.float32),
        f"{stem}.alpha": np.array(rank, dtype=np.float32),
    }
    save_file(tensors, path, metadata={"ss_output_name": "contract", "ss_network_dim": str(rank)})

"""`sajin doctor`: addresses that are no WebUI, and what is missing for which product on which server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line.lacking import lacking
from command_line.model_table import read_table
from command_line.programs import child_environment
from studio.library.reading import read_library
from studio.settings import REPOSITORY
from tests.replay import ReplayServer, Reply, answer_json
from tests.running_studio import free_settings
from tests.stand_ins.easyphoto import EasyPhotoServer
from webui_client.client import WebuiClient

PRESETS = len(list((REPOSITORY / "presets").glob("*.yaml")))
FACES = "control_v2p_sd15_mediapipe_face [9c7784a9]"


def examined(data: Path, urls: str, **overrides: Any) -> subprocess.CompletedProcess[str]:
    settings = free_settings(data, webui_urls=urls, **overrides)
    return subprocess.run(
        [sys.executable, "-m", "command_line", "doctor"],
        env={**os.environ, **child_environment(settings), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(200, b"<html>hello</html>"), "is not a WebUI"),
        (Reply(401, {"detail": "Not authenticated"}), "asks for a name and password"),
        (Reply(302, b"", headers=(("Location", "https://elsewhere.example/"),)), "elsewhere.example"),
    ],
    ids=["a web site", "wants a password", "redirects"],
)
def test_an_address_that_is_no_open_webui_is_named_with_what_it_is(
    tmp_path: Path, reply: Reply, told: str
) -> None:
    with ReplayServer() as server:
        for method, path in list(server.routes):
            server.on(method, path, reply)
        done = examined(tmp_path, server.url)
    assert done.returncode == 1
    assert server.url in done.stdout
    assert told in " ".join(done.stdout.split())
    assert "Traceback" not in done.stderr


def test_nobody_at_the_address_is_named_too(tmp_path: Path) -> None:
    done = examined(tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "cannot be reached" in " ".join(done.stdout.split())


def told_of(data: Path, server: ReplayServer) -> tuple[int, str]:
    """The doctor's exit status and words about a server, on one line."""
    done = examined(data, server.url)
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join(done.stdout.split())


def model_list(*names: str) -> Reply:
    return Reply(body={"model_list": list(names)})


def test_a_missing_controlnet_is_told_with_the_products_that_need_it_and_the_command(tmp_path: Path) -> None:
    with ReplayServer() as server:
        server.on("GET", "/controlnet/model_list", model_list("control_v11p_sd15_openpose [7c896420]"))
        status, told = told_of(tmp_path, server)
    assert status == 1
    assert re.search(rf"products wrong only \d of {PRESETS} can be made", told)
    needed = r"has no ControlNet tile, needed by actor-headshot, black-and-white, business and \d+ more"
    assert re.search(rf"{server.url} {needed}: sajin models get tile --into FOLDER", told)


def test_a_part_that_looks_need_for_poses_only_is_advice(tmp_path: Path) -> None:
    with ReplayServer() as server:
        server.on("GET", "/controlnet/model_list", model_list("control_v11f1e_sd15_tile [7c896420]", FACES))
        _, told = told_of(tmp_path, server)
    assert f"products wrong only {PRESETS - 4} of {PRESETS} can be made" in told
    needed = "has no ControlNet openpose, needed by animal-pose, instant-business, instant"
    assert f"{needed}: sajin models get openpose" in told
    assert "could be better" in told
    assert "has no ControlNet openpose, needed to follow a pose in" in told
    assert "sajin models get openpose --into FOLDER" in told


def test_a_part_that_presets_leave_out_is_advice_with_the_command(tmp_path: Path) -> None:
    with ReplayServer() as server:
        _, told = told_of(tmp_path, server)
    assert "has no ADetailer detector hand_yolov8n.pt, left out of" in told
    assert "sajin models get hand-detector --into FOLDER" in told


def test_a_webui_on_this_machine_is_named_by_its_folder(tmp_path: Path) -> None:
    models = tmp_path / "webui" / "models" / "Stable-diffusion"
    models.mkdir(parents=True)
    with ReplayServer() as server:
        listed = [{**answer, "filename": str(models / "a.safetensors")} for answer in answer_json(2)]
        server.on("GET", "/sdapi/v1/sd-models", Reply(body=listed))
        _, told = told_of(tmp_path / "data", server)
    assert f"sajin models get hand-detector --into {tmp_path / 'webui'}" in told


@pytest.mark.parametrize(
    ("paths", "remedy"),
    [
        (("/controlnet/model_list", "/controlnet/version"), "install the extension sd-webui-controlnet"),
        (("/adetailer/v1/ad_model", "/adetailer/v1/version"), "install the extension adetailer"),
    ],
    ids=["ControlNet", "ADetailer"],
)
def test_where_an_extension_is_missing_no_file_is_advised(
    tmp_path: Path, paths: tuple[str, ...], remedy: str
) -> None:
    with ReplayServer() as server:
        name = paths[0].split("/")[1]
        scripts = answer_json(14)
        kept = {kind: [title for title in titles if title != name] for kind, titles in scripts.items()}
        server.on("GET", "/sdapi/v1/scripts", Reply(body=kept))
        server.without(*paths)
        status, told = told_of(tmp_path, server)
    assert status == 1
    assert remedy in told
    assert f"sajin models get {'tile' if name == 'controlnet' else 'face-detector'}" not in told


def test_where_no_extension_swaps_faces_those_that_do_are_named(tmp_path: Path) -> None:
    with ReplayServer() as server:
        server.without("/faceswaplab/version")
        status, told = told_of(tmp_path, server)
    assert status == 1
    needed = "has no face swapper faceswaplab or reactor or roop, needed by instant"
    assert needed in told
    assert "install one of the extensions sd-webui-faceswaplab, sd-webui-reactor, sd-webui-roop" in told


def test_what_one_server_lacks_is_advice_while_another_has_it(tmp_path: Path) -> None:
    with ReplayServer() as poor, ReplayServer() as rich:
        poor.on("GET", "/controlnet/model_list", model_list("control_v11p_sd15_openpose [7c896420]", FACES))
        done = examined(tmp_path, f"{poor.url},{rich.url}")
    told = " ".join(done.stdout.split())
    assert f"products good {PRESETS - 1} of {PRESETS} can be made" in told
    assert f"{poor.url} has no ControlNet tile" in told
    assert f"{poor.url} works with no checkpoint of SDXL, which instant-id is for" in told


def test_the_embedded_engine_gets_commands_for_its_own_folder(tmp_path: Path) -> None:
    with ReplayServer() as server:
        server.on("GET", "/controlnet/model_list", model_list("control_v11p_sd15_openpose [7c896420]"))
        record = WebuiClient(server.url).probe().model_copy(update={"flavour": "sajin"})
    library = read_library(REPOSITORY / "presets", REPOSITORY / "prompts")
    found = lacking(library, [record], read_table(REPOSITORY / "webui_engine" / "models.yaml"))
    remedies = {lack.part: lack.remedy for lack in found}
    assert remedies["ControlNet tile"] == "sajin models get tile"
    assert remedies["ADetailer detector hand_yolov8n.pt"] == (
        "sajin models get hand-detector, with the package ultralytics"
    )


def test_no_part_of_another_family_is_advised(tmp_path: Path) -> None:
    with ReplayServer() as server:
        record = WebuiClient(server.url).probe().model_copy(update={"native_size": 1024})
    library = read_library(REPOSITORY / "presets", REPOSITORY / "prompts")
    found = lacking(library, [record], read_table(REPOSITORY / "webui_engine" / "models.yaml"))
    (tile,) = [lack for lack in found if lack.part == "ControlNet tile"]
    assert tile.weight == "stops"
    assert tile.remedy == ""


def test_a_broken_table_of_models_is_told_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text("- name: x\n")
    with ReplayServer() as server:
        done = examined(tmp_path, server.url, models_table=tmp_path / "models.yaml")
    assert done.returncode == 1
    assert "recommended models wrong" in " ".join(done.stdout.split())
    assert "learning people" in done.stdout


def test_a_server_without_easyphoto_is_named_when_that_is_the_trainer(tmp_path: Path) -> None:
    learning = {"trainer": "easyphoto", "lora_dir": tmp_path, "checkpoint": Path("realistic.safetensors")}
    with ReplayServer() as server:
        without = " ".join(examined(tmp_path, server.url, **learning).stdout.split())
        EasyPhotoServer(server, tmp_path)
        having = " ".join(examined(tmp_path, server.url, **learning).stdout.split())
    assert "no server that answers has the extension EasyPhoto" in without
    assert "no server that answers has the extension EasyPhoto" not in having
    assert "on realistic.safetensors" in having

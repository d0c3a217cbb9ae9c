"""ADetailer and the enlarging scripts through the application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.contract.recorded_models import save_lora
from tests.unit.webui_engine.http.conftest import Post, decoded, encoded
from webui_engine.app import create_app
from webui_engine.diffusion.engine import Engine
from webui_engine.http.access import Access
from webui_engine.http.options import OptionsStore
from webui_engine.http.services import assemble

TAB = {"ad_model": "mediapipe_face_full", "ad_denoising_strength": 0.6, "ad_inpaint_only_masked_padding": 16}
ULTIMATE = [None, 128, 128, 8, 16, 16, 0.35, 16, 1, False, 0, False, 4, 0, 2, 512, 512, 2]


@pytest.fixture
def photo(astronaut: Image.Image) -> Image.Image:
    return astronaut.crop((96, 0, 352, 256)).resize((128, 128))


def adetailer(*tabs: dict[str, Any], skip: bool = False) -> dict[str, Any]:
    return {"alwayson_scripts": {"ADetailer": {"args": [True, skip, *tabs]}}}


def test_adetailer_paints_the_face_and_leaves_the_rest(generate: Post, photo: Image.Image) -> None:
    answer = generate("img2img", init_images=[encoded(photo)], **adetailer(TAB, skip=True))
    change = np.abs(np.asarray(decoded(answer["images"][0]), int) - np.asarray(photo, int)).max(axis=2)
    assert change[40:80, 45:85].mean() > 3
    assert change[105:].max() == 0
    assert answer["info"]["extra_generation_params"]["ADetailer version"]


def test_a_lora_of_the_face_pass_is_told_when_there_is_no_main_pass(
    small_models: Path, tmp_path: Path, photo: Image.Image
) -> None:
    save_lora(tmp_path / "loras" / "tinylora.safetensors")
    engine = Engine([small_models], [tmp_path / "loras"], device="cpu")
    engine.load("small")
    options = OptionsStore(tmp_path / "options.json")
    held = assemble(engine, options, data=tmp_path, models_dirs=(small_models,), access=Access(), flags={})
    body = {
        "prompt": "a woman <lora:tinylora:0.5>",
        "steps": 2,
        "width": 64,
        "height": 64,
        "init_images": [encoded(photo)],
    }
    answer = create_app(held).test_client().post("/sdapi/v1/img2img", json=body | adetailer(TAB, skip=True))
    extra = json.loads(answer.get_json()["info"])["extra_generation_params"]
    assert extra["Lora hashes"].startswith("tinylora: ")


def test_a_face_pass_can_have_a_controlnet_of_its_own(generate: Post, photo: Image.Image) -> None:
    tab = TAB | {"ad_controlnet_model": "sajin-tiny-tile"}
    answer = generate("img2img", init_images=[encoded(photo)], **adetailer(tab, skip=True))
    assert len(answer["images"]) == 1
    assert answer["info"]["extra_generation_params"]["ADetailer ControlNet model"] == "sajin-tiny-tile"


@pytest.mark.parametrize(
    "wrong", [{"ad_sampler": "Foo", "ad_use_sampler": True}, {"ad_prompt": "<lora:missing:1>"}]
)
def test_unknown_names_in_a_tab_are_refused(generate: Post, wrong: dict[str, Any]) -> None:
    generate(status=400, **adetailer(TAB | wrong))


def test_leaving_out_the_main_pass_does_not_go_with_a_mask(generate: Post, photo: Image.Image) -> None:
    mask = encoded(Image.new("L", photo.size, 255))
    generate("img2img", status=422, init_images=[encoded(photo)], mask=mask, **adetailer(TAB, skip=True))


def test_ultimate_sd_upscale_with_a_tile_controlnet(generate: Post, photo: Image.Image) -> None:
    unit = {"enabled": True, "module": "tile_resample", "model": "sajin-tiny-tile", "weight": 0.8}
    answer = generate(
        "img2img",
        init_images=[encoded(photo)],
        denoising_strength=0.2,
        script_name="ultimate sd upscale",
        script_args=ULTIMATE,
        alwayson_scripts={"controlnet": {"args": [unit]}},
    )
    assert [decoded(image).size for image in answer["images"]] == [(256, 256)]
    assert (answer["info"]["width"], answer["info"]["height"]) == (256, 256)
    extra = answer["info"]["extra_generation_params"]
    assert extra["Ultimate SD upscale upscaler"] == "Lanczos"
    assert "ControlNet 0" in extra


def test_sd_upscale_with_batched_tiles_and_a_controlnet(generate: Post, photo: Image.Image) -> None:
    unit = {"enabled": True, "module": "tile_resample", "model": "sajin-tiny-tile"}
    answer = generate(
        "img2img",
        init_images=[encoded(photo)],
        batch_size=4,
        denoising_strength=0.2,
        script_name="SD upscale",
        script_args=["", 32, "Lanczos", 1.5],
        alwayson_scripts={"controlnet": {"args": [unit]}},
    )
    assert [decoded(image).size for image in answer["images"]] == [(192, 192)]
    assert answer["info"]["all_seeds"] == [7]


def test_the_scripts_that_are_listed_can_be_called(client: FlaskClient) -> None:
    listed = client.get("/sdapi/v1/scripts").get_json()
    info = {
        entry["name"]: entry
        for entry in client.get("/sdapi/v1/script-info").get_json()
        if entry["is_img2img"]
    }
    assert listed["img2img"] == list(info)
    assert len(info["ultimate sd upscale"]["args"]) == 18
    assert len(info["sd upscale"]["args"]) == 4
    assert len(info["adetailer"]["args"]) == 6


def test_an_enlarging_script_is_not_found_on_txt2img(generate: Post) -> None:
    answer = generate(status=422, script_name="SD upscale", script_args=["", 32, "Lanczos", 2.0])
    assert answer["detail"] == "Script 'sd upscale' not found"

"""ControlNet units in both dialects, their maps, and the extension's routes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.unit.webui_engine.http.conftest import Post, decoded, encoded
from webui_client import infotext


@pytest.fixture
def photo(astronaut: Image.Image) -> str:
    return encoded(astronaut.crop((96, 0, 352, 256)))


def units(*items: dict[str, Any]) -> dict[str, Any]:
    return {"alwayson_scripts": {"ControlNet": {"args": list(items)}}}


def pose(photo: str | None, **fields: Any) -> dict[str, Any]:
    unit = {"enabled": True, "module": "openpose", "model": "sajin-tiny-openpose", "image": photo}
    return {key: value for key, value in (unit | fields).items() if value is not None}


def test_a_unit_gives_its_map_after_the_picture_and_its_entry(generate: Post, photo: str) -> None:
    answer = generate(**units(pose(photo, weight=0.8)))
    assert [decoded(image).size for image in answer["images"]] == [(128, 128), (128, 128)]
    entry = infotext.parse(answer["info"]["infotexts"][0]).controlnet_units[0]
    assert (entry["Module"], entry["Model"], entry["Weight"]) == ("openpose", "sajin-tiny-openpose", "0.8")


def test_hires_fix_gives_both_maps_the_larger_first(generate: Post, photo: str) -> None:
    answer = generate(
        enable_hr=True, hr_scale=1.5, hr_upscaler="Latent", denoising_strength=0.5, **units(pose(photo))
    )
    assert [decoded(image).width for image in answer["images"]] == [192, 192, 128]


@pytest.mark.parametrize("how", [{"unit": True}, {"option": True}])
def test_maps_can_be_kept_back(generate: Post, photo: str, how: dict[str, bool]) -> None:
    unit = pose(photo, save_detected_map=False) if how.get("unit") else pose(photo)
    options = {"control_net_no_detectmap": True} if how.get("option") else {}
    assert len(generate(override_settings=options, **units(unit))["images"]) == 1


def test_a_unit_that_is_off_leaves_no_trace(generate: Post, photo: str) -> None:
    answer = generate(**units(pose(photo, enabled=False)))
    assert len(answer["images"]) == 1
    assert answer["info"]["extra_generation_params"] == {}


def test_in_img2img_a_unit_without_a_picture_takes_the_initial_one(generate: Post, photo: str) -> None:
    answer = generate(
        "img2img", init_images=[photo], **units(pose(None, module="canny", model="sajin-tiny-tile"))
    )
    assert np.array(decoded(answer["images"][1]).convert("L")).max() > 100


@pytest.mark.parametrize(
    "spelling",
    [
        {"resize_mode": 1, "control_mode": 0},
        {"resize_mode": "Inner Fit (Scale to Fit)"},
        {"resize_mode": "Crop and Resize", "control_mode": "Balanced", "hr_option": "Both", "unknown": 1},
    ],
)
def test_numbers_words_and_aliases_mean_the_same(
    generate: Post, photo: str, spelling: dict[str, Any]
) -> None:
    assert (
        generate(steps=1, **units(pose(photo, **spelling)))["images"]
        == generate(steps=1, **units(pose(photo)))["images"]
    )


@pytest.mark.parametrize("wrapped", ["{}", "[{}]", "[image, mask]"])
def test_a_picture_comes_in_several_forms(generate: Post, photo: str, wrapped: str) -> None:
    entry = {"image": photo, "mask": photo}
    forms: dict[str, Any] = {"{}": entry, "[{}]": [entry], "[image, mask]": [photo, photo]}
    assert len(generate(steps=1, **units(pose(forms[wrapped])))["images"]) == 2


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"model": "missing [12345678]"}, 400),
        ({"model": "None"}, 422),
        ({"module": "missing"}, 500),
        ({"weight": 3}, 500),
        ({"guidance_start": 0.8, "guidance_end": 0.2}, 500),
        ({"advanced_weighting": [1.0] * 13}, 422),
        ({"image": ""}, 500),
    ],
)
def test_a_unit_that_could_not_run_is_refused(
    generate: Post, photo: str, fields: dict[str, Any], status: int
) -> None:
    generate(status=status, **units(pose(photo, **fields)))


def test_a_stale_hash_is_refused_and_the_listed_name_is_not(
    generate: Post, client: FlaskClient, photo: str
) -> None:
    listed = client.get("/controlnet/model_list").get_json()["model_list"]
    name = next(name for name in listed if name.startswith("sajin-tiny-openpose"))
    assert len(generate(steps=1, **units(pose(photo, model=name)))["images"]) == 2
    generate(status=400, **units(pose(photo, model="sajin-tiny-openpose [00000000]")))


def test_detection_draws_a_map_for_each_picture(client: FlaskClient, photo: str) -> None:
    body = {
        "controlnet_module": "canny",
        "controlnet_input_images": [photo, photo],
        "controlnet_processor_res": 256,
    }
    answer = client.post("/controlnet/detect", json=body).get_json()
    assert answer["info"] == "Success"
    assert [decoded(image).size for image in answer["images"]] == [(256, 256)] * 2


def test_a_pose_is_drawn_from_its_points(client: FlaskClient) -> None:
    points = [0.0] * 54
    points[:9] = [32, 10, 1, 32, 30, 1, 20, 30, 1]
    body = [{"people": [{"pose_keypoints_2d": points}], "canvas_width": 64, "canvas_height": 48}]
    answer = client.post("/controlnet/render_openpose_json", json=body).get_json()
    drawn = decoded(answer["images"][0])
    assert drawn.size == (64, 48)
    assert drawn.getbbox() is not None


def test_the_purposes_name_what_serves_them(client: FlaskClient) -> None:
    types = client.get("/controlnet/control_types").get_json()["control_types"]
    assert types["OpenPose"]["default_option"] == "openpose_full"
    assert types["OpenPose"]["default_model"].startswith("sajin-tiny-openpose")
    assert types["Tile"]["module_list"] == ["none", "tile_resample"]
    assert types["Depth"] == {
        "module_list": ["none"],
        "model_list": ["None"],
        "default_option": "none",
        "default_model": "None",
    }

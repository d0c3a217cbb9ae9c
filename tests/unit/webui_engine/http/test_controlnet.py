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


def test_a_mask_stands_for_the_picture(generate: Post, photo: str) -> None:
    stroke = Image.new("L", decoded(photo).size, 0)
    stroke.paste(255, (10, 10, 40, 20))
    masked = generate(steps=1, **units(pose(photo, module="canny", mask_image=encoded(stroke))))
    assert masked["images"] == generate(steps=1, **units(pose(encoded(stroke), module="canny")))["images"]


@pytest.mark.parametrize("level", [0, 255])
def test_a_mask_of_one_level_says_nothing(generate: Post, photo: str, level: int) -> None:
    mask = encoded(Image.new("L", decoded(photo).size, level))
    masked = generate(steps=1, **units(pose(photo, mask_image=mask)))
    assert masked["images"] == generate(steps=1, **units(pose(photo)))["images"]


def test_a_reference_needs_no_model_and_comes_back_as_its_map(generate: Post, photo: str) -> None:
    unit = pose(photo, module="reference_only", model="None", threshold_a=0.3)
    made, shown = generate(**units(unit))["images"]
    assert made != generate()["images"][0]
    assert np.array_equal(
        np.array(decoded(shown)), np.array(decoded(photo).resize((128, 128), Image.Resampling.LANCZOS))
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"mask_image": encoded(Image.linear_gradient("L").resize((8, 8)))}, 500),
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


def test_detection_tells_the_points_of_a_pose(client: FlaskClient, astronaut: Image.Image) -> None:
    body = {
        "controlnet_module": "openpose_full",
        "controlnet_input_images": [encoded(astronaut)],
        "controlnet_processor_res": 512,
    }
    told = client.post("/controlnet/detect", json=body).get_json()
    (pose_told,) = told["poses"]
    assert (pose_told["canvas_width"], pose_told["canvas_height"]) == (512, 512)
    (person,) = pose_told["people"]
    x, y, confidence = person["pose_keypoints_2d"][:3]
    assert (0.35 < x < 0.55, 0.1 < y < 0.35, confidence) == (True, True, 1.0)
    assert len(person["pose_keypoints_2d"]) == 3 * 18
    assert len(person["face_keypoints_2d"]) == 3 * 70


def test_told_points_can_be_drawn_again(client: FlaskClient, astronaut: Image.Image) -> None:
    body = {"controlnet_module": "openpose", "controlnet_input_images": [encoded(astronaut)]}
    told = client.post("/controlnet/detect", json=body).get_json()
    drawn = client.post("/controlnet/render_openpose_json", json=told["poses"]).get_json()
    assert drawn["images"] == told["images"]


def test_where_nobody_is_no_people_are_told(client: FlaskClient) -> None:
    empty = encoded(Image.new("RGB", (64, 64), "teal"))
    body = {"controlnet_module": "openpose_full", "controlnet_input_images": [empty]}
    assert client.post("/controlnet/detect", json=body).get_json()["poses"][0]["people"] == []


def test_other_preprocessors_tell_no_poses(client: FlaskClient, photo: str) -> None:
    body = {"controlnet_module": "canny", "controlnet_input_images": [photo]}
    assert client.post("/controlnet/detect", json=body).get_json().keys() == {"info", "images"}


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

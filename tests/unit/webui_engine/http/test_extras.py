"""Enlarging, png-info and the description nobody can give."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.recordings import recordings
from tests.unit.webui_engine.http.conftest import Post, decoded, encoded
from webui_client import infotext
from webui_engine.http.pasting import shown_parameters
from webui_engine.http.pictures import read_texts


@pytest.fixture
def photo(astronaut: Image.Image) -> str:
    return encoded(astronaut.resize((60, 44)))


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (60, 44)),
        ({"upscaler_1": "Lanczos", "upscaling_resize": 2}, (120, 88)),
        ({"upscaler_1": "Nearest", "upscaling_resize": 1.5}, (88, 64)),
        (
            {"upscaler_1": "Lanczos", "resize_mode": 1, "upscaling_resize_w": 96, "upscaling_resize_h": 96},
            (96, 96),
        ),
        (
            {
                "upscaler_1": "Lanczos",
                "resize_mode": 1,
                "upscaling_resize_w": 96,
                "upscaling_resize_h": 96,
                "upscaling_crop": False,
            },
            (128, 96),
        ),
    ],
)
def test_a_picture_is_enlarged_as_asked(
    client: FlaskClient, photo: str, fields: dict[str, object], size: tuple[int, int]
) -> None:
    answer = client.post("/sdapi/v1/extra-single-image", json={"image": photo} | fields).get_json()
    assert decoded(answer["image"]).size == size


def test_an_infotext_goes_along_when_a_picture_is_enlarged(client: FlaskClient, generate: Post) -> None:
    made = generate(steps=1)["images"][0]
    answer = client.post(
        "/sdapi/v1/extra-single-image", json={"image": made, "upscaler_1": "Lanczos", "upscaling_resize": 2}
    ).get_json()
    text, items = read_texts(decoded(answer["image"]))
    assert text == read_texts(decoded(made))[0]
    assert items["postprocessing"] == "Postprocess upscale by: 2.0, Postprocess upscaler: Lanczos"


def test_a_picture_that_would_not_fit_into_memory_is_refused(client: FlaskClient, photo: str) -> None:
    body = {"image": photo, "upscaler_1": "Lanczos", "upscaling_resize": 1000}
    assert client.post("/sdapi/v1/extra-single-image", json=body).status_code == 500


def test_png_info_reads_what_txt2img_wrote(client: FlaskClient, generate: Post) -> None:
    answer = generate(steps=1)
    told = client.post("/sdapi/v1/png-info", json={"image": answer["images"][0]}).get_json()
    assert told["info"] == answer["info"]["infotexts"][0]
    assert (told["parameters"]["Prompt"], told["parameters"]["Size-1"]) == ("a woman", "128")


@pytest.mark.parametrize("number", [306, 308])
def test_an_infotext_is_parsed_as_on_a_real_server(number: int) -> None:
    recorded = recordings()[number]["response"]["json"]
    assert shown_parameters(infotext.parse(recorded["info"])) == recorded["parameters"]


@pytest.mark.parametrize(("model", "status"), [("clip", 500), ("deepdanbooru", 500), ("other", 404)])
def test_nobody_describes_pictures_and_says_so(
    client: FlaskClient, photo: str, model: str, status: int
) -> None:
    answer = client.post("/sdapi/v1/interrogate", json={"image": photo, "model": model})
    assert answer.status_code == status
    assert set(answer.get_json()) == {"error", "detail", "body", "errors"}

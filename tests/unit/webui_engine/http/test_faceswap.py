"""faceswaplab's routes: what they do with faces, and what they refuse instead of leaving it out."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.persons import astronaut, hopper
from tests.unit.webui_engine.http.conftest import decoded, encoded

PERSON, OTHER = (
    encoded(Image.open(io.BytesIO(photos[0])).resize((384, 384))) for photos in (astronaut(1), hopper(1))
)
EMPTY = encoded(Image.new("RGB", (128, 96), "teal"))


def swap(client: FlaskClient, image: str, unit: dict[str, Any], **fields: Any) -> tuple[int, dict[str, Any]]:
    body = {"image": image, "units": [unit], **fields}
    answer = client.post("/faceswaplab/swap_face", json=body)
    return answer.status_code, answer.get_json()


def test_the_version_is_the_extensions_whose_interface_is_spoken(client: FlaskClient) -> None:
    assert client.get("/faceswaplab/version").get_json() == {"version": "v1.2.7"}


def test_a_face_is_put_in_place_of_the_one_that_was_there(client: FlaskClient) -> None:
    status, answer = swap(client, OTHER, {"source_img": f"data:image/png;base64,{PERSON}"})
    assert (status, list(answer), answer["infos"]) == (200, ["images", "infos"], [])
    before, after = (np.asarray(decoded(text).convert("RGB")) for text in (OTHER, answer["images"][0]))
    assert after.shape == before.shape
    assert (before != after).any(axis=2).mean() > 0.02


def test_a_picture_without_a_face_comes_back_as_it_was(client: FlaskClient) -> None:
    status, answer = swap(client, EMPTY, {"source_img": PERSON})
    assert status == 200
    assert np.array_equal(np.asarray(decoded(answer["images"][0])), np.asarray(decoded(EMPTY)))


@pytest.mark.parametrize(
    ("unit", "said"),
    [({"source_img": EMPTY}, "Face not found"), ({}, "No reference face")],
    ids=["no face in the photo", "no photo"],
)
def test_a_source_that_shows_nobody_is_a_failure(
    client: FlaskClient, unit: dict[str, Any], said: str
) -> None:
    status, answer = swap(client, OTHER, unit)
    assert status == 500
    assert said in answer["errors"]


@pytest.mark.parametrize(
    "asked",
    [
        {"source_face": "somebody.safetensors"},
        {"check_similarity": True},
        {"swapping_options": {"face_restorer_name": "GFPGAN"}},
        {"post_inpainting": {"inpainting_denoising_strengh": 0.3}},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_what_landmarks_cannot_do_is_refused(client: FlaskClient, asked: dict[str, Any]) -> None:
    status, answer = swap(client, OTHER, {"source_img": PERSON, **asked})
    assert status == 422
    assert next(iter(asked)) in answer["errors"]


def test_restoring_the_whole_picture_is_refused(client: FlaskClient) -> None:
    status, answer = swap(client, OTHER, {"source_img": PERSON}, postprocessing={})
    assert status == 422
    assert "restorer" in answer["errors"]


def test_two_faces_in_one_unit_do_not_fit(client: FlaskClient) -> None:
    status, _ = swap(client, OTHER, {"source_img": PERSON, "faces_index": [0, 1]})
    assert status == 422

"""`sajin animal` as people run it: the ranking alone, the whole way on the real engine, and what cannot be used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.settings import BUNDLED_CHECKPOINT
from tests.contract import engine_process
from tests.running_studio import RunningStudio
from tests.unit.id_photo.faces import VARIATIONS, photo
from tiny_model.animal_measure import load_classifier
from tiny_model.animals import SPECIES

BUNDLED_MODELS = BUNDLED_CHECKPOINT.parents[1]
UNREACHABLE = "http://127.0.0.1:9"


def animal(
    picture: Path, *options: str, studio: RunningStudio | None = None, data: Path | None = None
) -> tuple[int, dict[str, Any], str]:
    """(exit status, last line of standard output as JSON, standard error)."""
    given = {"SAJIN_DATA": str(data or picture.parent / "data"), "SAJIN_WEBUI_URLS": UNREACHABLE}
    if studio is not None:
        given = {"SAJIN_DATA": str(studio.settings.data), "SAJIN_API_PORT": str(studio.settings.api_port)}
    done = subprocess.run(
        [sys.executable, "-m", "command_line", "animal", str(picture), "--json", *options],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    lines = done.stdout.splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr


def pixels(picture: Path) -> np.ndarray:
    """RGB, uint8."""
    return np.asarray(Image.open(picture).convert("RGB"))


@pytest.fixture
def me(tmp_path: Path) -> Path:
    path = tmp_path / "me.jpg"
    path.write_bytes(photo(VARIATIONS[1]))
    return path


@pytest.mark.timeout(300)
def test_a_face_becomes_an_animal_by_its_pose(
    running_studio: RunningStudio, me: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, report, said = animal(me, "--seed=7", f"--out={out}", studio=running_studio)
    assert status == 0, said
    assert report["preset"] == "animal-pose"
    assert "animal is not possible here" in said
    assert "mediapipe_face" in said
    assert report["animal"] == next(one["animal"] for one in report["ranking"] if one["demonstrated"])
    image = report["images"][0]
    assert Image.open(image["path"]).size == (image["width"], image["height"]) == (128, 128)
    assert Image.open(image["landmarks"]["path"]).format == "JPEG"
    assert image["landmarks"]["found"] is (image["landmarks"]["in_shape"] is not None)
    assert load_classifier()(pixels(Path(image["path"]))) == report["animal"]
    assert "has learnt to draw basset-hound" in said
    recipe = running_studio.api.get(f"/jobs/{report['job']}")["images"][0]["recipe_url"]
    stage = running_studio.api.get(recipe.removeprefix("/api/v1"))["stages"][0]["request"]
    assert stage["prompt"].startswith(SPECIES[report["animal"]].words)
    assert stage["prompt"].endswith("<lora:sajin-tiny-animals:1>")
    assert stage["controlnet"][0]["picture"].startswith("face-photos/")


@pytest.mark.timeout(300)
def test_an_animal_painted_over_keeps_the_photos_colours(
    running_studio: RunningStudio, me: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, report, said = animal(
        me, "--preset=animal-repaint", "--animal=owl", "--seed=7", f"--out={out}", studio=running_studio
    )
    assert status == 0, said
    assert (report["preset"], report["animal"]) == ("animal-repaint", "owl")
    made = np.asarray(Image.open(report["images"][0]["path"]).convert("RGB").resize((8, 8)), dtype=float)
    kept = running_studio.api.get("/face-photos?limit=1")["items"][0]
    running_studio.api.download(kept["url"], tmp_path / "square.jpg")
    square = np.asarray(Image.open(tmp_path / "square.jpg").resize((8, 8)), dtype=float)
    alike = np.corrcoef(made.ravel(), square.ravel())[0, 1]
    assert alike > 0.5, "the picture begins with the photo, whose broad light stays"


@pytest.mark.timeout(300)
def test_where_a_server_has_a_controlnet_of_faces_the_face_mesh_guides_the_animal(
    me: Path, tmp_path: Path
) -> None:
    """The bundled ControlNet of poses stands in for one of faces: what is proven is the way, not the likeness."""
    models = tmp_path / "models" / "ControlNet"
    models.mkdir(parents=True)
    shutil.copytree(
        BUNDLED_MODELS / "ControlNet" / "sajin-tiny-openpose", models / "sajin-tiny-mediapipe_face"
    )
    with engine_process.running(tmp_path / "engine", "--models", models.parent) as engine:
        status, report, said = animal(me, f"--webui={engine.url}", "--seed=7", f"--out={tmp_path / 'out'}")
    assert status == 0, said
    assert report["preset"] == "animal"
    infotext = Image.open(report["images"][0]["path"]).info["parameters"]
    assert "Module: mediapipe_face, Model: sajin-tiny-mediapipe_face" in infotext
    assert "Weight: 1.25" in infotext
    assert "Threshold A: 1.0, Threshold B: 0.5" in infotext


def test_the_ranking_alone_needs_no_server_and_gives_reasons_in_both_languages(me: Path) -> None:
    status, report, said = animal(me, "--rank-only")
    assert status == 0, said
    assert len(report["ranking"]) >= 20
    assert report["images"] == []
    first = report["ranking"][0]
    assert first["title"]["en"] in said
    assert first["reasons"][0]["ko"] in said
    assert not (me.parent / "data").exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [("wall", "no_face"), ("two", "several_faces"), ("text", "not_a_picture")],
)
def test_a_photo_that_cannot_be_used_is_told_before_a_studio_is_started(
    tmp_path: Path, content: str, code: str
) -> None:
    path = tmp_path / "photo.png"
    if content == "text":
        path.write_text("no picture", encoding="utf-8")
    else:
        one = Image.new("RGB", (500, 500), (180, 170, 160))
        if content == "two":
            (tmp_path / "one.jpg").write_bytes(photo(VARIATIONS[0]))
            face = Image.open(tmp_path / "one.jpg")
            one = Image.new("RGB", (face.width * 2, face.height))
            one.paste(face)
            one.paste(face, (face.width, 0))
        one.save(path)
    status, report, said = animal(path)
    assert (status, report["error"]["code"]) == (1, code)
    assert "starting the studio" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("option", ["--animal=unicorn", "--preset=studio-profile"])
def test_what_is_not_known_is_told_with_what_is(me: Path, option: str) -> None:
    status, _, said = animal(me, option)
    assert status == 2
    assert f"{option.split('=')[1]!r}; known are: " in said
    assert "Traceback" not in said

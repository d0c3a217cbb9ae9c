"""AnimateDiff over HTTP, on the bundled checkpoint and its motion module."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from tests.unit.webui_engine.http.conftest import Post, decoded, encoded
from webui_client.infotext import parse
from webui_engine.http.services import Services

Animate = Callable[..., dict[str, Any]]


@pytest.fixture
def animate(generate: Post) -> Animate:
    """Ask for a short animation; given: what the script is told, fields: what the request is told besides."""

    def ask(
        given: dict[str, Any] | None = None, path: str = "txt2img", status: int = 200, **fields: Any
    ) -> dict[str, Any]:
        script = {"enable": True, "video_length": 4, "batch_size": 4, "format": ["GIF"]} | (given or {})
        asked = {"width": 64, "height": 64} | fields
        return generate(path, status, alwayson_scripts={"AnimateDiff": {"args": [script]}}, **asked)

    return ask


def frames_of(text: str) -> NDArray[np.int16]:
    """All pictures of an animation, (frames, height, width, 3)."""
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    frames = []
    for number in range(picture.n_frames):  # type: ignore[attr-defined]
        picture.seek(number)
        frames.append(np.array(picture.convert("RGB")).astype(np.int16))
    return np.stack(frames)


def seam(frames: NDArray[np.int16]) -> float:
    return float(np.abs(frames[-1] - frames[0]).mean())


def test_an_animation_stands_in_the_place_of_its_frames(animate: Animate) -> None:
    answer = animate()
    assert len(answer["images"]) == 1
    assert base64.b64decode(answer["images"][0])[:4] == b"GIF8"
    assert len(frames_of(answer["images"][0])) == 4
    assert answer["info"]["all_seeds"] == [7, 8, 9, 10]
    assert len(answer["info"]["infotexts"]) == 4


def test_files_come_in_their_order_and_then_the_frames(animate: Animate) -> None:
    answer = animate({"format": ["Frame", "WEBP", "MP4", "GIF"]}, n_iter=2)
    begins = [base64.b64decode(text)[:12] for text in answer["images"]]
    kinds = [
        "GIF" if b[:3] == b"GIF" else "MP4" if b[4:8] == b"ftyp" else b[-4:].decode() for b in begins[:6]
    ]
    assert kinds == ["GIF", "MP4", "WEBP"] * 2
    frames = [decoded(text) for text in answer["images"][6:]]
    seeds = [parse(frame.info["parameters"]).get("Seed") for frame in frames]
    assert seeds == ["11", "12", "13", "14"]


def test_without_a_file_format_the_frames_are_the_answer(animate: Animate) -> None:
    answer = animate({"format": ["PNG"], "video_length": 2})
    assert [decoded(text).format for text in answer["images"]] == ["PNG"] * 4


def test_its_infotext_tells_what_it_was_made_with(animate: Animate, services: Services) -> None:
    answer = animate({"video_length": 0, "request_id": "portrait-1", "closed_loop": "N"})
    told = parse(answer["info"]["infotexts"][0]).get("AnimateDiff") or ""
    said = dict(item.split(": ") for item in told.split(", "))
    module = services.engine.motion_modules()[0]
    assert (said["model"], said["mm_hash"]) == (module.name, module.hash[:8])
    assert (said["video_length"], said["closed_loop"], said["overlap"]) == ("4", "N", "1")
    assert said["request_id"] == "portrait-1"
    comment = Image.open(io.BytesIO(base64.b64decode(answer["images"][0]))).info["comment"]
    assert comment.decode() == answer["info"]["infotexts"][0]


def test_a_closed_loop_of_one_window_is_played_back(animate: Animate) -> None:
    travel = "portrait of a woman\n0: blue background\n3: red background"
    wanted = {"format": ["WEBP"]}
    opened, closed = (
        frames_of(animate(wanted | {"closed_loop": loop}, prompt=travel, steps=4)["images"][0])
        for loop in ("R-P", "A")
    )
    assert (len(opened), len(closed)) == (4, 6)
    assert seam(closed) < seam(opened) / 2


def test_a_closed_loop_of_several_windows_leads_the_prompts_back(animate: Animate) -> None:
    travel = "portrait of a woman\n0: blue background\n5: red background"
    wanted = {"video_length": 8, "format": ["WEBP"]}
    opened, closed = (
        frames_of(animate(wanted | {"closed_loop": loop}, prompt=travel, steps=3)["images"][0])
        for loop in ("R-P", "R+P")
    )
    assert (len(opened), len(closed)) == (8, 8)
    assert seam(closed) < seam(opened)


def test_an_animation_can_begin_with_a_picture(animate: Animate) -> None:
    face = Image.fromarray(data.astronaut()[0:256, 96:352]).resize((64, 64))
    answer = animate(
        {"format": ["WEBP"], "latent_scale": 4},
        "img2img",
        init_images=[encoded(face)],
        denoising_strength=0.3,
        steps=8,
    )
    distances = np.abs(frames_of(answer["images"][0]) - np.array(face).astype(np.int16)).mean((1, 2, 3))
    assert distances[0] < distances[-1]
    told = parse(answer["info"]["infotexts"][0])
    assert "latent_scale: 4," in (told.get("AnimateDiff") or "")
    assert told.get("Denoising strength") == "0.3"


def test_files_are_kept_where_pictures_are_and_only_when_asked_for(
    animate: Animate, services: Services
) -> None:
    animate({"request_id": "mine"})
    assert not (services.data / "outputs").exists()
    answer = animate({"format": ["GIF", "PNG", "TXT"], "request_id": "mine"}, save_images=True)
    folder = next((services.data / "outputs" / "txt2img-images" / "AnimateDiff").iterdir())
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    stem = "00000-7-mine"
    frames = [str(Path(stem) / f"{number:05}.png") for number in range(4)]
    assert names == sorted([*frames, f"{stem}.gif", f"{stem}.txt"])
    assert (folder / f"{stem}.gif").read_bytes() == base64.b64decode(answer["images"][0])


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({"model": "mm_sd_v14.ckpt"}, 400, "sajin-tiny-motion"),
        ({"foo": 1}, 500, "foo"),
        ({"format": ["Frame"]}, 500, "GIF"),
        ({"format": "GIF"}, 422, "list"),
        ({"format": ["AVI"]}, 422, "AVI"),
        ({"fps": 0}, 500, "fps"),
        ({"video_length": -1}, 500, "video_length"),
        ({"overlap": 4}, 500, "batch_size"),
        ({"closed_loop": True}, 422, "closed_loop"),
        ({"interp": "FILM"}, 422, "interpolated"),
        ({"video_path": "/somewhere"}, 422, "reads no files"),
        ({"freeinit_enable": True}, 422, "FreeInit"),
        ({"request_id": "../up"}, 422, "file name"),
        ({"video_length": 129}, 500, "128"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    animate: Animate, given: dict[str, Any], status: int, told: str
) -> None:
    assert told in animate(given, status=status)["errors"]


def test_a_prompt_for_a_frame_that_is_not_there_is_refused(animate: Animate) -> None:
    assert "4 frames" in animate(prompt="a woman\n0: smiling\n9: serious", status=422)["errors"]


def test_without_it_a_request_is_as_it_was(generate: Post) -> None:
    plain = generate(width=64, height=64)["images"]
    for arguments in ([], [False], [{"enable": False, "model": "nope"}]):
        off = generate(width=64, height=64, alwayson_scripts={"AnimateDiff": {"args": arguments}})
        assert off["images"] == plain


def test_it_is_listed_with_the_extensions_fields_and_a_module_that_is_there(client: FlaskClient) -> None:
    assert "animatediff" in client.get("/sdapi/v1/scripts").get_json()["txt2img"]
    listed = client.get("/sdapi/v1/script-info").get_json()
    entries = [entry for entry in listed if entry["name"] == "animatediff"]
    assert [entry["is_img2img"] for entry in entries] == [False, True]
    assert client.get("/internal/sajin").get_json()["motion_modules"] == ["sajin-tiny-motion"]
    value = entries[0]["args"][0]["value"]
    assert value["model"] == "sajin-tiny-motion"
    assert (value["closed_loop"], value["format"], value["overlap"]) == ("R-P", ["GIF", "PNG"], -1)

"""Animations on a server with AnimateDiff, and what it answers when the script did not do its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from tests.replay import Asked, Reply, png
from tests.unit.studio import animating_webui as webuis
from tests.unit.studio.animating_webui import AnimatingWebui
from tests.unit.webui_client.conftest import QUICK
from webui_client.client import WebuiClient
from webui_client.errors import FeatureDidNotRun, MissingCapability
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.animatediff import AnimateDiff, Animation
from webui_client.values import Animate, Img2Img, Txt2Img

MODULE = "mm_sd_v14.ckpt"
SAMPLING: dict[str, Any] = {
    "prompt": "a portrait",
    "width": 64,
    "height": 64,
    "seed": 1,
    "sampler_name": "DDIM",
}


@pytest.fixture(scope="module")
def running() -> Iterator[AnimatingWebui]:
    with AnimatingWebui() as server:
        yield server


@pytest.fixture
def animating(running: AnimatingWebui) -> AnimatingWebui:
    """The server as it was at first."""
    running.asked.clear()
    running.misbehave.clear()
    running.has_animatediff(True)
    return running


@pytest.fixture
def client(animating: AnimatingWebui) -> Iterator[WebuiClient]:
    one = WebuiClient(animating.url, timeouts=QUICK)
    yield one
    one.close()


def request(**unit: Any) -> Animate:
    fields = {"model": MODULE, "video_length": 8, "batch_size": 8, "closed_loop": "A"}
    return Animate(sampling=Txt2Img(**SAMPLING), animatediff=AnimateDiff(**fields | unit))


def test_the_file_and_the_frames_come_back(client: WebuiClient) -> None:
    made = client.animate(request())
    assert [(file.format, file.frames) for file in made.files] == [("GIF", 14)]
    assert [(frame.width, frame.height) for frame in made.frames] == [(64, 64)] * 14
    assert "AnimateDiff" in (made.frames[0].infotext or "")


def test_the_script_is_given_one_dictionary_with_its_formats_as_a_list(
    animating: AnimatingWebui, client: WebuiClient
) -> None:
    client.animate(request())
    body = animating.calls("/sdapi/v1/txt2img")[-1].json
    unit = webuis.unit_of(body)
    assert (unit["enable"], unit["format"], unit["closed_loop"]) == (True, ["GIF", "Frame"], "A")
    assert body["override_settings"]["pad_cond_uncond"] is True
    assert "formats" not in unit


def test_a_picture_is_animated_by_img2img(animating: AnimatingWebui, client: WebuiClient) -> None:
    sampling = Img2Img(**SAMPLING, init_images=(png(),), denoising_strength=0.7)
    client.animate(Animate(sampling=sampling, animatediff=request().animatediff))
    (call,) = animating.calls("/sdapi/v1/img2img")
    assert call.json["denoising_strength"] == 0.7


def test_a_server_without_the_extension_is_told_before_anything_runs(
    animating: AnimatingWebui, client: WebuiClient
) -> None:
    animating.has_animatediff(False)
    with pytest.raises(MissingCapability, match="AnimateDiff"):
        client.animate(request())
    assert animating.calls("/sdapi/v1/txt2img") == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (webuis.sends_stills, "GIF was asked for, still pictures came back"),
        (webuis.sends_video, "GIF was asked for, MP4 came back"),
        (webuis.loses_frames, "14 frames were due, 12 came back"),
        (webuis.stands_still, "nothing moves"),
        (webuis.says_nothing, "model mm_sd_v14.ckpt was asked for, None ran"),
        (webuis.has_another_module, "'other.ckpt' ran"),
    ],
)
def test_an_answer_that_does_not_prove_the_animation_is_no_result(
    animating: AnimatingWebui, client: WebuiClient, answer: Callable[[Asked], Reply], reason: str
) -> None:
    animating.misbehave.append(answer)
    with pytest.raises(FeatureDidNotRun, match=reason):
        client.animate(request())


def test_the_frames_of_a_loop_played_back_are_counted() -> None:
    assert request(closed_loop="A").animatediff.frames == 14
    assert request(closed_loop="R-P").animatediff.frames == 8
    assert request(video_length=32, batch_size=16).animatediff.frames == 32


def test_more_context_than_frames_is_refused() -> None:
    with pytest.raises(ValidationError, match="batch_size 16 is more than the 8 frames"):
        AnimateDiff(model=MODULE, video_length=8)


def test_nothing_that_works_on_single_pictures_may_work_on_frames() -> None:
    repairing = Txt2Img(**SAMPLING, adetailer=ADetailer(tabs=(ADetailerTab(model="face_yolov8n.pt"),)))
    with pytest.raises(ValidationError, match="nothing but sampling"):
        Animate(sampling=repairing, animatediff=request().animatediff)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x00\x00\x00\x18ftypmp42", "MP4"),
        (b"\x1a\x45\xdf\xa3\x01\x00\x00\x00", "WEBM"),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\xff\xd8\xff\xe0", None),
    ],
)
def test_a_file_tells_what_it_is_by_its_first_bytes(start: bytes, kind: str | None) -> None:
    found = Animation.read(start)
    assert (found.format if found else None) == kind

"""Animated portraits: from words or from a picture, faces repaired frame by frame, kept, measured and written."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.animation.clip import opened
from studio.errors import BudgetNotMet, InvalidRequest, NotFound
from studio.recipes import texts_in
from studio.values import AnimationQuery, Job, Status
from tests.replay import Asked, Reply
from tests.unit.studio import animating_webui as webuis
from tests.unit.studio.animating_webui import AnimatingWebui, unit_of
from tests.unit.studio.test_running_jobs import House, open_house

PRESET = """\
title: {en: Moving, ko: 움직임}
product: animated
identity: none
width: 256
height: 256
prompt: photo of a {subject}
steps: 3
sampler: DDIM
scheduler: Automatic
stages:
  motion:
    use: animate
    module: [mm_sd_v14.ckpt, sajin-tiny-motion]
    frames: 4
    context: 4
    denoising_strength: 0.6
    travel: "0: calm\\n2: smiling"
  face: {use: repair_frames, size: 256, denoising_strength: 0.2}
"""
STILL = """\
title: {en: Still, ko: 정지}
identity: none
width: 256
height: 256
prompt: photo of a {subject}
steps: 3
sampler: Euler a
scheduler: Automatic
stages:
  skeleton: {use: txt2img}
"""
IMG2IMG = "/sdapi/v1/img2img"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One studio and server for the module, so that the face process starts once."""
    with AnimatingWebui() as server:
        presets = {"moving": PRESET, "still": STILL}
        house = open_house(tmp_path_factory.mktemp("house"), [server], presets=presets)
        with house.base.closing:
            yield house


@pytest.fixture(autouse=True)
def server(house: House) -> AnimatingWebui:
    server = house.servers[0]
    assert isinstance(server, AnimatingWebui)
    server.asked.clear()
    server.misbehave.clear()
    server.painted = 0
    return server


@pytest.fixture(scope="module")
def made(house: House) -> Job:
    """A finished animation."""
    return house.run(house.order(preset="moving", options={"seed": 11}))


def clip_at(house: House, job: Job, stage: str) -> Any:
    return opened(house.studio.stage_file(job.images[0].id, stage).read_bytes()).frames


def test_an_animation_is_made_repaired_and_delivered_with_what_is_measured(house: House, made: Job) -> None:
    assert made.status is Status.SUCCEEDED, made.error
    (image,) = made.images
    assert [stage.use for stage in image.stages] == ["animate", "repair_frames"]
    assert image.movement is not None
    assert (image.movement.frames, image.movement.fps, image.movement.repaired) == (6, 8, 6)
    assert image.movement.flicker < 1.0
    assert 0.5 < image.movement.seam < 1.5


def test_only_the_face_is_painted_anew(house: House, made: Job) -> None:
    before, after = clip_at(house, made, "motion"), clip_at(house, made, "face")
    changed = (before != after).any(axis=-1)
    height = before.shape[1]
    assert changed[:, height // 10 : height // 2].any(axis=(1, 2)).all()
    assert not changed[:, -height // 5 :].any()


def test_every_frame_is_repaired_with_one_seed_and_equal_ones_once(
    house: House, server: AnimatingWebui
) -> None:
    house.run(house.order(preset="moving", options={"seed": 12}))
    calls = [call.json for call in server.calls(IMG2IMG)]
    assert len(calls) == 4
    assert {call["seed"] for call in calls} == {12}
    assert {(call["width"], call["height"], call["denoising_strength"]) for call in calls} == {
        (256, 256, 0.2)
    }
    assert len({call["force_task_id"] for call in calls}) == 4


def test_the_prompt_travels_below_its_head(house: House, server: AnimatingWebui) -> None:
    travel = {"stages": {"motion": {"travel": "0: awake\n3: eyes closed"}}}
    house.run(house.order(preset="moving", options={"seed": 13, **travel}))
    (call,) = server.calls("/sdapi/v1/txt2img")
    assert call.json["prompt"] == "photo of a person\n0: awake\n3: eyes closed"


@pytest.mark.parametrize(
    ("travel", "reason"),
    [
        ("2: smiling", "must begin with frame 0"),
        ("0: calm\n4: smiling", "goes to frame 4; the last one is 3"),
        ("0: calm\nsmiling", 'not "frame: words"'),
        ("0: calm\n0: smiling", "must rise"),
    ],
)
def test_a_travel_that_animatediff_would_drop_in_silence_is_refused(
    house: House, travel: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        house.order(preset="moving", options={"stages": {"motion": {"travel": travel}}})


def test_a_finished_picture_is_animated_by_img2img(house: House, server: AnimatingWebui) -> None:
    still = house.run(house.order(preset="still", options={"seed": 14})).images[0]
    job = house.run(house.order(preset="moving", options={"seed": 15, "image": still.id}))
    assert job.status is Status.SUCCEEDED, job.error
    first = server.calls(IMG2IMG)[0].json
    assert (unit_of(first)["video_length"], first["denoising_strength"]) == (4, 0.6)
    start = Image.open(io.BytesIO(base64.b64decode(first["init_images"][0]))).convert("RGB")
    file = Image.open(house.studio.image_file(still.id)).convert("RGB")
    assert (np.asarray(start) == np.asarray(file)).all()


def test_only_pictures_that_are_there_and_looks_that_take_them_can_be_asked_for(
    house: House, made: Job
) -> None:
    with pytest.raises(NotFound):
        house.order(preset="moving", options={"image": "0" * 32})
    with pytest.raises(InvalidRequest, match="begins with no finished picture"):
        house.order(preset="still", options={"image": made.images[0].id})


@pytest.mark.parametrize("answer", [webuis.sends_stills, webuis.sends_video])
def test_a_server_that_does_not_animate_fails_the_job_and_leaves_no_picture(
    house: House, server: AnimatingWebui, answer: Callable[[Asked], Reply]
) -> None:
    server.misbehave += [answer] * 3
    job = house.run(house.order(preset="moving", options={"seed": 16}))
    assert (job.status, job.images) == (Status.FAILED, ())
    assert job.error is not None
    assert (job.error.code, job.error.stage) == ("feature_did_not_run", "motion")


def test_frames_without_a_face_stay_as_they_are_and_that_is_told(
    house: House, server: AnimatingWebui
) -> None:
    grain = np.random.default_rng(0).integers(100, 140, (6, 256, 256, 3), np.uint8)
    server.misbehave.append(lambda asked: Reply(body=webuis.animated(asked.json, frames=grain)))
    job = house.run(house.order(preset="moving", options={"seed": 17}))
    assert job.status is Status.SUCCEEDED, job.error
    assert job.images[0].movement is not None
    assert job.images[0].movement.repaired == 0
    assert server.calls(IMG2IMG) == []


def test_the_kept_file_moves_and_carries_infotext_and_recipe(house: House, made: Job) -> None:
    file = house.studio.image_file(made.images[0].id)
    with Image.open(file) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("PNG", 6)
    assert "AnimateDiff: " in texts_in(file.read_bytes())["parameters"]
    assert house.studio.recipe(made.images[0].id)["job"] == made.id


def test_each_format_is_what_it_says(house: House, made: Job) -> None:
    starts = {"gif": b"GIF89a", "webp": b"RIFF", "apng": b"\x89PNG"}
    for name, start in starts.items():
        assert house.studio.animation_file(made.images[0].id, name).read_bytes().startswith(start)  # type: ignore[arg-type]
    assert house.studio.animation_file(made.images[0].id, "mp4").read_bytes()[4:8] == b"ftyp"
    assert {file.format for file in house.studio.animation_files(made.images[0].id)} == {"mp4", *starts}


def test_a_budget_is_kept_or_the_smallest_file_is_named(house: House, made: Job) -> None:
    image = made.images[0].id
    whole = house.studio.animation_file(image, "gif").stat().st_size
    budget = AnimationQuery(budget_kb=whole // 2000)
    assert house.studio.animation_file(image, "gif", budget).stat().st_size <= whole // 2
    with pytest.raises(BudgetNotMet) as refused:
        house.studio._parts.animations.file(
            image, "gif", AnimationQuery.model_construct(budget_kb=1, fps=None)
        )
    assert int(refused.value.data["smallest_kb"] or 0) > 1


def test_a_still_picture_has_no_animation(house: House) -> None:
    still = house.run(house.order(preset="still", options={"seed": 18})).images[0]
    with pytest.raises(NotFound):
        house.studio.animation_file(still.id, "gif")


def test_erasing_an_animation_erases_its_files(house: House) -> None:
    image = house.run(house.order(preset="moving", options={"seed": 19})).images[0]
    file = house.studio.animation_file(image.id, "webp")
    house.studio.erase_image(image.id)
    assert not file.exists()

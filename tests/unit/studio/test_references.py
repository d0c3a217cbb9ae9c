"""Instant portraits after a reference: its pose is followed, its words are said, and both may be the visitor's own."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageEnhance, PngImagePlugin

from studio.errors import NoFace, NotFound, SeveralFaces
from studio.faces.values import ColourShare, FaceMeasures, HeadLook, PhotoFindings
from studio.intake.captions import description
from studio.pipeline.describing import Describer, plain_words
from studio.values import Job, NewSubject, Status, UploadedFile
from tests.persons import as_jpeg, astronaut, hopper
from tests.replay import Asked, Reply
from tests.unit.studio.painting_webui import PaintingWebui, answer_to
from tests.unit.studio.test_instant_jobs import RESTORE, SWAP, VERSION_RECORDING, restored, swapped
from tests.unit.studio.test_running_jobs import House, open_house

TXT2IMG, INTERROGATE = "/sdapi/v1/txt2img", "/sdapi/v1/interrogate"
PRESET = """\
title: {en: Instant, ko: 바로}
product: instant
identity: instant
width: 256
height: 256
negative_prompt: blurry
steps: 3
sampler: Euler a
scheduler: Automatic
stages:
  reference: {use: reference, prompt: "photo of a {subject}, {red|blue|green} coat"}
  describe: {use: describe}
  skeleton: {use: txt2img, prompt: "portrait of a {subject}, {described}, soft light"}
  face: {use: face_swap}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One studio and server for the module, so that the face process starts once."""
    with PaintingWebui() as server:
        house = open_house(tmp_path_factory.mktemp("house"), [server], presets={"instant": PRESET})
        with house.base.closing:
            yield house


@pytest.fixture(autouse=True)
def server(house: House) -> PaintingWebui:
    """The server as it was at first: it paints a person's photo, swaps and restores, and has no captioner."""
    server = house.servers[0]
    server.asked.clear()
    server.painted = 0
    server.replay(VERSION_RECORDING)
    server.on("POST", TXT2IMG, paints_a_person)
    server.on("POST", SWAP, swapped)
    server.on("POST", RESTORE, restored)
    server.on("POST", INTERROGATE, Reply(500, {"error": "OSError", "detail": "", "errors": "no captioner"}))
    return server


def paints_a_person(asked: Asked) -> Reply:
    answer = answer_to(asked.json)
    with Image.open(io.BytesIO(base64.b64decode(answer["images"][0]))) as gradient:
        size, text = gradient.size, gradient.info["parameters"]
    person = Image.open(io.BytesIO(astronaut(6)[5])).convert("RGB").resize(size)
    out = io.BytesIO()
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", text)
    person.save(out, "PNG", pnginfo=chunks)
    return Reply(body=answer | {"images": [base64.b64encode(out.getvalue()).decode()]})


def brightened(asked: Asked) -> Reply:
    image = Image.open(io.BytesIO(base64.b64decode(asked.json["image"]))).convert("RGB")
    out = io.BytesIO()
    ImageEnhance.Brightness(image).enhance(1.2).save(out, "PNG")
    return Reply(body={"images": [base64.b64encode(out.getvalue()).decode()], "infos": []})


@pytest.fixture(scope="module")
def subject(house: House) -> str:
    subject = house.studio.create_subject(NewSubject(name="Grace", consent=True))
    house.studio.add_photos(subject.id, [upload(hopper(1)[0])])
    return subject.id


def upload(picture: bytes) -> UploadedFile:
    return UploadedFile(filename="picture.jpg", stream=io.BytesIO(picture))


def run(house: House, subject: str, **options: Any) -> Job:
    job = house.run(house.order(preset="instant", subject=subject, options=options))
    assert job.status is Status.SUCCEEDED, job.error
    return job


def prompts(server: PaintingWebui) -> list[str]:
    return [asked.json["prompt"] for asked in server.calls(TXT2IMG)]


def test_the_portrait_says_what_its_reference_shows(
    house: House, server: PaintingWebui, subject: str
) -> None:
    job = run(house, subject, seed=1)
    (image,) = job.images
    assert [stage.name for stage in image.stages] == ["reference", "skeleton", "face"]
    assert image.described is not None
    assert (image.described.by, "smiling" in image.described.words) == ("sajin", True)
    assert prompts(server)[1] == f"portrait of a person, {image.described.words}, soft light"
    assert image.prompt == prompts(server)[1]
    recipe: dict[str, Any] = house.studio.recipe(image.id)
    assert recipe["described"] == image.described.model_dump()
    assert job.server is not None
    assert job.server.url == server.url


def test_a_server_with_a_captioner_is_asked_first_and_says_nothing_of_who_it_is(
    house: House, server: PaintingWebui, subject: str
) -> None:
    server.on("POST", INTERROGATE, Reply(body={"caption": "a woman in a red suit smiling, by Rembrandt"}))
    (image,) = run(house, subject, seed=2).images
    assert image.described is not None
    assert (image.described.words, image.described.by) == ("in a red suit smiling", "interrogate")
    assert len(server.calls(INTERROGATE)) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {"error": "OSError", "detail": "", "errors": "no captioner"}),
        Reply(404, {"detail": "Not Found"}),
        Reply(body={"caption": "<error>"}),
        Reply(body={"caption": "a man"}),
    ],
    ids=["fails", "has none", "says it did and did not", "says nothing but who"],
)
def test_where_a_captioner_does_not_help_our_own_does_and_nothing_is_held_against_the_server(
    house: House, server: PaintingWebui, reply: Reply
) -> None:
    server.on("POST", INTERROGATE, reply)
    pool = house.steps.pool
    describer = Describer(pool=pool, look=house.base.faces.check)
    read = describer.describe(astronaut(1)[0], ("interrogate", "sajin"), lambda: False)
    assert (read.describer, read.server, "smiling" in read.words) == ("sajin", "", True)
    assert len(server.calls(INTERROGATE)) == 1
    assert pool.standing(pool.clients[0]).failures == 0


def test_ones_own_words_are_taken_as_they_are_and_nothing_is_described(
    house: House, server: PaintingWebui, subject: str
) -> None:
    (image,) = run(house, subject, seed=3, description="laughing, in {a} green coat").images
    assert prompts(server)[1] == "portrait of a person, laughing, in {a} green coat, soft light"
    assert image.described is not None
    assert image.described.by == "order"
    assert server.calls(INTERROGATE) == []


def test_no_words_at_all_leave_no_gap(house: House, server: PaintingWebui, subject: str) -> None:
    run(house, subject, seed=4, description="")
    assert prompts(server)[1] == "portrait of a person, soft light"


def test_a_sent_picture_takes_the_place_of_the_reference(
    house: House, server: PaintingWebui, subject: str
) -> None:
    template = house.studio.add_pose(upload(astronaut(1)[0]))
    (image,) = run(house, subject, seed=5, reference=template.id).images
    assert [stage.name for stage in image.stages] == ["skeleton", "face"]
    assert image.described is not None
    assert f", {image.described.words}, " in prompts(server)[0]


def test_a_picture_of_the_gallery_can_be_the_reference(
    house: House, server: PaintingWebui, subject: str
) -> None:
    server.on("POST", SWAP, brightened)
    (liked,) = run(house, subject, seed=6).images
    (image,) = run(house, subject, seed=7, reference=liked.id).images
    assert "reference" not in [stage.name for stage in image.stages]


@pytest.mark.parametrize(
    ("faces", "refusal"), [((), NoFace), ((astronaut(1)[0], hopper(1)[0]), SeveralFaces)], ids=["none", "two"]
)
def test_a_reference_needs_exactly_one_face(
    house: House, server: PaintingWebui, subject: str, faces: tuple[bytes, ...], refusal: type[Exception]
) -> None:
    side_by_side = Image.new("RGB", (600 * max(len(faces), 1), 600), "teal")
    for number, face in enumerate(faces):
        side_by_side.paste(Image.open(io.BytesIO(face)).resize((600, 600)), (600 * number, 0))
    template = house.studio.add_pose(upload(as_jpeg(side_by_side)))
    with pytest.raises(refusal):
        house.order(preset="instant", subject=subject, options={"reference": template.id})
    assert server.painted == 0


def test_a_reference_that_is_not_there_is_told(house: House, subject: str) -> None:
    with pytest.raises(NotFound):
        house.order(preset="instant", subject=subject, options={"reference": "nowhere"})


def test_erasing_one_picture_leaves_the_words_that_another_has_too(
    house: House, server: PaintingWebui, subject: str
) -> None:
    first, second = (run(house, subject, seed=seed).images[0] for seed in (20, 21))
    house.studio.erase_image(first.id)
    assert house.studio.image(second.id).described == second.described
    again = house.run(house.order(preset="instant", subject=subject, options={"seed": 21}))
    assert again.status is Status.SUCCEEDED, again.error


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "neutral expression, wearing red clothes, plain light gray background"),
        ({"smile": 0.2}, "smiling, wearing red clothes, plain light gray background"),
        ({"eyes_open": 0.05}, "wearing red clothes, plain light gray background"),
        ({"attire": (), "background": ()}, "neutral expression"),
    ],
    ids=["calm", "smiling", "eyes closed", "face alone"],
)
def test_our_own_words_are_expression_clothes_and_background(changes: dict[str, Any], words: str) -> None:
    red, grey = ColourShare(name="red", share=1.0), ColourShare(name="light grey", share=1.0)
    look = HeadLook(
        roll=0, yaw=0, pitch=0, eyes_open=0.3, mouth_open=0, smile=0, light=150, light_side=0, below_chin=2,
        attire=(red,), background=(grey,), background_detail=5,
    )  # fmt: skip
    measures = FaceMeasures(sharpness=100, light=150, clipped=0, contrast=40)
    findings = PhotoFindings(
        width=1, height=1, faces=(), measures=measures, embedding=None, fingerprint="0" * 16,
        look=look.model_copy(update=changes),
    )  # fmt: skip
    assert description(findings) == words
    assert description(findings.model_copy(update={"look": None})) == ""


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        (
            "a man in a suit and tie smiling for the camera, by Artist",
            "in a suit and tie smiling for the camera",
        ),
        ("there is a young woman with a hat", "with a hat"),
        ("portrait <lora:evil:1> (very:2) [x] {y}", "portrait lora evil very x y"),
        ("", ""),
    ],
)
def test_a_caption_loses_who_artists_and_what_a_prompt_would_obey(caption: str, words: str) -> None:
    assert plain_words(caption) == words

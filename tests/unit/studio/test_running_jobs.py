"""Jobs on servers that do well, badly, or go away: what is finished stays, what failed says why and can go on."""

from __future__ import annotations

import base64
import dataclasses
import io
import os
import resource
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from studio.assembly import Foundations, lay_foundations
from studio.database.tables import JobRow
from studio.pipeline.attempts import ServerTasks
from studio.pipeline.describing import Describer
from studio.pipeline.retrying import RetryPolicy
from studio.pipeline.runner import StageRunner
from studio.recipes import recipe_in, texts_in
from studio.service import Studio
from studio.settings import REPOSITORY, Settings
from studio.values import ImageQuery, Job, JobRequest, Status
from studio.worker.job_steps import JobSteps
from studio.worker.process import job_steps
from studio.worker.stopping import Stopping
from studio.worker.watching import look_at
from studio.worker.workflows import job_in_order
from tests.replay import Asked, Reply
from tests.unit.studio import painting_webui as webui
from tests.unit.studio.painting_webui import Misbehaviour, PaintingWebui
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool
from webui_client.values import Timeouts

PRESET = """\
title: {en: Quick, ko: 빠른}
identity: none
width: 256
height: 256
prompt: photo of a {subject}
negative_prompt: blurry
steps: 3
sampler: Euler a
scheduler: Automatic
stages:
  skeleton: {use: txt2img}
  tone: {use: img2img, denoising_strength: 0.4}
  upscale: {use: upscale, scale: 1.5, upscaler: Lanczos, script: SD upscale, overlap: 16}
"""
QUICK = RetryPolicy(tries=3, patience_seconds=0.3, first_pause_seconds=0.02, longest_pause_seconds=0.05)


@dataclasses.dataclass
class House:
    """A studio whose jobs are run in this process, as the worker runs them but without its durable queue."""

    studio: Studio
    base: Foundations
    steps: JobSteps
    servers: list[PaintingWebui]

    def order(self, **request: Any) -> Job:
        return self.studio.create_job(JobRequest.model_validate({"preset": "quick", **request}))

    def run(self, job: Job) -> Job:
        with self.base.database.read() as session:
            row = session.get(JobRow, job.id)
        steps = self.steps
        job_in_order(
            job.id,
            row.attempt if row else 0,
            open_job=steps.open,
            run_stage=steps.stage,
            finish_picture=steps.finish,
            close_job=steps.close,
        )
        return self.studio.job(job.id)

    def painted(self) -> int:
        return sum(server.painted for server in self.servers)


@pytest.fixture
def servers() -> Iterator[list[PaintingWebui]]:
    with PaintingWebui() as first, PaintingWebui() as second:
        yield [first, second]


def open_house(
    folder: Path,
    servers: list[PaintingWebui],
    timeouts: Timeouts | None = None,
    presets: Mapping[str, str] = MappingProxyType({"quick": PRESET}),
) -> House:
    library = folder / "presets"
    library.mkdir()
    for name, text in presets.items():
        (library / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings = Settings(
        _env_file=None,
        data=folder / "data",
        webui_urls=tuple(server.url for server in servers),
        presets_dir=library,
        prompts_dir=REPOSITORY / "prompts",
    )
    base = lay_foundations(settings)
    clients = [WebuiClient(url, timeouts=timeouts or Timeouts(poll=0.05)) for url in settings.server_urls]
    pool, tasks = WebuiPool(clients, folder / "locks"), ServerTasks(database=base.database)
    steps = job_steps(base, pool, tasks, Stopping())
    describer = Describer(pool=pool, look=base.faces.check)
    runner = StageRunner(base.database, base.store, base.faces, pool, tasks, QUICK, describer)
    return House(
        studio=Studio(base),
        base=base,
        steps=dataclasses.replace(steps, policy=QUICK, runner=runner),
        servers=servers,
    )


@pytest.fixture
def house(tmp_path: Path, servers: list[PaintingWebui]) -> Iterator[House]:
    """One server."""
    house = open_house(tmp_path, servers[:1])
    with house.base.closing:
        yield house


@pytest.fixture
def two_servers(tmp_path: Path, servers: list[PaintingWebui]) -> Iterator[House]:
    house = open_house(tmp_path, servers)
    with house.base.closing:
        yield house


def test_a_job_runs_its_stages_in_order_and_delivers_its_pictures(house: House) -> None:
    job = house.run(house.order(count=2, options={"seed": 7}))
    assert job.status is Status.SUCCEEDED
    assert [image.seed for image in job.images] == [7, 8]
    assert [stage.name for stage in job.images[0].stages] == ["skeleton", "tone", "upscale"]
    assert (job.images[0].width, job.images[0].height) == (384, 384)
    assert (job.progress, job.stage, job.error) == (1.0, None, None)
    assert house.painted() == 6


def test_each_stage_works_on_the_picture_of_the_stage_before(house: House) -> None:
    house.run(house.order())
    tone, upscale = (call.json for call in house.servers[0].calls("/sdapi/v1/img2img"))
    assert tone["denoising_strength"] == 0.4
    assert upscale["script_name"].lower() == "sd upscale"
    assert tone["init_images"][0] != upscale["init_images"][0]


def test_the_picture_carries_infotext_and_the_whole_recipe(house: House) -> None:
    job = house.run(house.order(options={"seed": 5, "prompt": "red hat"}))
    file = house.studio.image_file(job.images[0].id)
    assert "Seed: 5" in texts_in(file.read_bytes())["parameters"]
    recipe = recipe_in(file.read_bytes())
    assert recipe is not None
    assert recipe["request"]["options"]["prompt"] == "red hat"
    assert recipe["preset_version"] == job.preset_version
    assert [stage["request"]["use"] for stage in recipe["stages"]] == ["txt2img", "img2img", "upscale"]
    assert house.studio.recipe(job.images[0].id) == recipe


def test_dropping_the_picture_back_restores_the_order_with_its_own_seed(house: House) -> None:
    job = house.run(
        house.order(count=2, options={"seed": 5, "stages": {"tone": {"denoising_strength": 0.2}}})
    )
    with house.studio.image_file(job.images[1].id).open("rb") as picture:
        restored = house.studio.restore(picture)
    assert (restored.source, restored.preset, restored.options.seed) == ("sajin", "quick", 6)
    assert restored.options.stages == {"tone": {"denoising_strength": 0.2}}


def test_a_stage_that_was_made_once_is_not_made_again(house: House) -> None:
    first = house.run(house.order(options={"seed": 7}))
    second = house.run(house.order(options={"seed": 7}))
    assert second.status is Status.SUCCEEDED
    assert house.painted() == 3
    assert first.images[0].id != second.images[0].id


def test_a_change_late_in_the_chain_keeps_the_early_stages(house: House) -> None:
    house.run(house.order(options={"seed": 7}))
    house.run(house.order(options={"seed": 7, "stages": {"upscale": {"denoising_strength": 0.3}}}))
    assert house.painted() == 4


def test_finishing_a_picture_twice_makes_it_once(house: House) -> None:
    job = house.run(house.order())
    assert house.steps.finish(job.id, 0)
    assert len(house.studio.images().items) == 1
    outputs = list((house.base.settings.data_folder / "outputs").rglob("*.png"))
    assert len(outputs) == 4


WAYS_TO_DO_BADLY: dict[str, tuple[Misbehaviour, str]] = {
    "answers 500": (webui.fails, "webui_failed"),
    "times out": (webui.is_slow, "webui_timeout"),
    "returns garbage": (webui.garbles, "webui_bad_answer"),
    "sends half a picture": (webui.sends_half_a_picture, "webui_bad_answer"),
    "was interrupted by somebody": (webui.is_interrupted, "interrupted"),
    "goes away in the answer": (webui.hangs_up, "webui_unreachable"),
    "sends black": (webui.sends_black, "feature_did_not_run"),
    "substitutes the sampler": (webui.substitutes_the_sampler, "feature_did_not_run"),
}
does_badly = pytest.mark.parametrize(
    ("misbehaviour", "code"), WAYS_TO_DO_BADLY.values(), ids=WAYS_TO_DO_BADLY.keys()
)


def patience_for(misbehaviour: Misbehaviour) -> Timeouts:
    """Short only where a test waits for the end of it."""
    return Timeouts(poll=0.05, generation=0.4) if misbehaviour is webui.is_slow else Timeouts(poll=0.05)


@does_badly
def test_a_stage_is_tried_again_after_a_server_did_badly_once(
    tmp_path: Path, servers: list[PaintingWebui], misbehaviour: Misbehaviour, code: str
) -> None:
    house = open_house(tmp_path, servers[:1], patience_for(misbehaviour))
    with house.base.closing:
        servers[0].misbehave = [misbehaviour]
        job = house.run(house.order())
    assert job.status is Status.SUCCEEDED
    assert house.painted() == 3


@does_badly
def test_a_server_that_keeps_doing_badly_fails_the_job_which_goes_on_from_that_stage_when_retried(
    tmp_path: Path, servers: list[PaintingWebui], misbehaviour: Misbehaviour, code: str
) -> None:
    house = open_house(tmp_path, servers[:1], patience_for(misbehaviour))
    server = servers[0]
    with house.base.closing:
        job = house.order(options={"seed": 3})
        assert house.steps.open(job.id, 0) is not None
        assert house.steps.stage(job.id, 0, "skeleton")
        server.misbehave = [misbehaviour] * 50
        assert not house.steps.stage(job.id, 0, "tone")
        failed = house.studio.job(job.id)
        assert failed.status is Status.FAILED
        assert failed.error is not None
        assert (failed.error.code, failed.error.stage, failed.error.server) == (code, "tone", server.url)
        assert failed.error.message
        assert failed.images == ()
        if code != "webui_unreachable":
            assert len(server.calls("/sdapi/v1/img2img")) == QUICK.tries
        server.misbehave = []
        again = house.studio.retry_job(job.id)
        assert (again.status, again.error) == (Status.QUEUED, None)
        assert house.run(again).status is Status.SUCCEEDED
    assert len(server.calls("/sdapi/v1/txt2img")) == 1


@does_badly
def test_another_server_takes_over_when_one_does_badly(
    tmp_path: Path, servers: list[PaintingWebui], misbehaviour: Misbehaviour, code: str
) -> None:
    bad, good = servers
    bad.misbehave = [misbehaviour] * 50
    house = open_house(tmp_path, servers, patience_for(misbehaviour))
    with house.base.closing:
        job = house.run(house.order())
    assert job.status is Status.SUCCEEDED
    assert job.server is not None
    assert job.server.url == good.url
    assert (bad.painted, good.painted) == (0, 3)


def test_another_server_takes_over_when_one_is_gone_for_good(two_servers: House) -> None:
    gone, good = two_servers.servers
    job = two_servers.order()
    assert two_servers.steps.open(job.id, 0) is not None
    gone.__exit__(None, None, None)
    assert two_servers.run(job).status is Status.SUCCEEDED
    assert good.painted == 3


def test_a_server_that_is_away_is_waited_for_and_then_named(tmp_path: Path) -> None:
    with PaintingWebui() as server:
        house = open_house(tmp_path, [server])
        job = house.order()
        outline = house.steps.open(job.id, 0)
    assert outline is not None
    started = time.monotonic()
    with house.base.closing:
        assert not house.steps.stage(job.id, 0, "skeleton")
        error = house.studio.job(job.id).error
    assert error is not None
    assert (error.code, error.server) == ("webui_unreachable", server.url)
    assert time.monotonic() - started >= QUICK.patience_seconds


def test_a_job_ordered_while_its_server_starts_waits_for_it(house: House) -> None:
    server = house.servers[0]
    routes, server.routes = server.routes, {}
    tries: list[Asked] = []

    def starts(asked: Asked) -> Reply:
        tries.append(asked)
        server.routes = routes
        return Reply(503, {"detail": "loading"})

    server.on("GET", "/sdapi/v1/options", starts)
    assert house.run(house.order()).status is Status.SUCCEEDED
    assert tries


def test_cancelling_a_waiting_job_ends_it_at_once(house: House) -> None:
    job = house.order()
    assert house.studio.cancel_job(job.id).status is Status.CANCELLED
    assert house.run(job).status is Status.CANCELLED
    assert house.painted() == 0


def test_cancelling_a_running_job_interrupts_the_server_and_keeps_no_picture(house: House) -> None:
    server = house.servers[0]
    server.pause_seconds = 1.0
    job = house.order()
    runner = threading.Thread(target=house.run, args=(job,))
    runner.start()
    wait_for(lambda: bool(server.calls("/sdapi/v1/txt2img")))
    house.studio.cancel_job(job.id)
    runner.join(timeout=20)
    assert house.studio.job(job.id).status is Status.CANCELLED
    assert server.calls("/sdapi/v1/interrupt")
    assert not server.calls("/sdapi/v1/img2img")


def test_a_server_is_asked_for_previews_only_while_somebody_looks(house: House) -> None:
    server = house.servers[0]
    server.pause_seconds = 0.5
    unwatched = house.order()
    house.run(unwatched)
    asked = [call.json["live_preview"] for call in server.calls("/internal/progress")]
    assert asked
    assert not any(asked)

    watched = house.order(options={"prompt": "blue hat"})
    house.studio.job(watched.id, preview=True)
    house.run(watched)
    assert server.calls("/internal/progress")[-1].json["live_preview"] is True


def test_a_cancelled_job_can_be_retried(house: House) -> None:
    job = house.order()
    house.studio.cancel_job(job.id)
    assert house.run(house.studio.retry_job(job.id)).status is Status.SUCCEEDED


def test_a_worker_that_is_told_to_stop_cancels_nothing(house: House) -> None:
    server = house.servers[0]
    server.pause_seconds = 1.0
    job = house.order()
    threading.Thread(target=house.run, args=(job,), daemon=True).start()
    wait_for(lambda: bool(server.calls("/sdapi/v1/txt2img")))
    house.steps.stopping.ask()
    wait_for(lambda: bool(server.calls("/sdapi/v1/interrupt")))
    time.sleep(server.pause_seconds)
    assert house.studio.job(job.id).status is Status.RUNNING


def test_an_image_erased_takes_its_files_and_results_along(house: House) -> None:
    job = house.run(house.order(options={"seed": 9}))
    house.studio.erase_image(job.images[0].id)
    assert not list((house.base.settings.data_folder / "outputs").rglob("*.png"))
    assert house.run(house.order(options={"seed": 9})).status is Status.SUCCEEDED
    assert house.painted() == 6


def test_stage_pictures_shown_by_another_image_survive_its_twin(house: House) -> None:
    first = house.run(house.order(options={"seed": 9}))
    second = house.run(house.order(options={"seed": 9}))
    house.studio.erase_image(first.images[0].id)
    with Pillow.open(house.studio.stage_file(second.images[0].id, "skeleton")) as picture:
        assert picture.size == (256, 256)


def test_images_are_found_by_word_and_marked_and_packed(house: House) -> None:
    job = house.run(house.order(count=2, options={"prompt": "green umbrella", "seed": 1}))
    ids = [image.id for image in job.images]
    studio = house.studio
    assert len(studio.images(ImageQuery(q="umbrella green")).items) == 2
    assert studio.images(ImageQuery(q="elephant")).items == ()
    studio.set_favourite(ids[0], True)
    assert [image.id for image in studio.images(ImageQuery(favourite=True)).items] == [ids[0]]
    packed = b"".join(studio.archive(ids))
    assert packed.startswith(b"PK")
    page = studio.images(ImageQuery(limit=1))
    rest = studio.images(ImageQuery(limit=1, cursor=page.next))
    assert {page.items[0].id, rest.items[0].id} == set(ids)
    assert rest.next is None


def test_a_full_disk_fails_the_job_with_its_own_code(house: House) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    job = house.order()
    outline = house.steps.open(job.id, 0)
    assert outline is not None
    largest = max(file.stat().st_size for file in house.base.settings.data_folder.glob("*.db*"))
    limit = largest + 500_000
    house.servers[0].on(
        "POST", "/sdapi/v1/txt2img", lambda asked: Reply(body=noisy_answer(asked.json, limit))
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        assert not house.steps.stage(job.id, 0, "skeleton")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    error = house.studio.job(job.id).error
    assert error is not None
    assert error.code == "disk_full"


def noisy_answer(body: dict[str, Any], least_bytes: int) -> dict[str, Any]:
    """An answer whose picture does not compress, larger than least_bytes, at the size that was asked for."""
    answer = webui.answer_to(body)
    width, height = webui.result_size(body)
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", webui.infotext_of(body, width, height))
    chunks.add_text("padding", os.urandom(least_bytes).hex())
    out = io.BytesIO()
    Pillow.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(out, "PNG", pnginfo=chunks)
    return answer | {"images": [base64.b64encode(out.getvalue()).decode()]}


NO_OPEN_WEBUI = pytest.mark.parametrize(
    ("reply", "code", "word"),
    [
        (Reply(200, b"<html>hello</html>"), "not_a_webui", "is not a WebUI"),
        (Reply(401, {"detail": "Not authenticated"}), "webui_needs_password", "asks for a name and password"),
        (
            Reply(302, b"", headers=(("Location", "https://elsewhere.example/"),)),
            "not_a_webui",
            "elsewhere.example",
        ),
    ],
    ids=["a web site", "wants a password", "redirects"],
)


@NO_OPEN_WEBUI
def test_a_job_for_an_address_that_is_no_open_webui_says_so_and_goes_on_when_it_is_one(
    house: House, reply: Reply, code: str, word: str
) -> None:
    server = house.servers[0]
    routes = dict(server.routes)
    for method, path in routes:
        server.on(method, path, reply)
    failed = house.run(house.order())
    assert failed.error is not None
    assert failed.error.code == code
    assert word in failed.error.message
    server.routes = routes
    assert house.run(house.studio.retry_job(failed.id)).status is Status.SUCCEEDED


@NO_OPEN_WEBUI
def test_an_address_that_is_no_open_webui_is_shown_with_what_it_is(
    tmp_path: Path, reply: Reply, code: str, word: str
) -> None:
    with PaintingWebui() as server:
        for method, path in list(server.routes):
            server.on(method, path, reply)
        client = WebuiClient(server.url)
        record = look_at(client, WebuiPool([client], tmp_path))
    assert record.server.status == "down"
    assert record.server.problem == code
    assert record.server.details is not None
    assert word in record.server.details


def wait_for(happened: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)

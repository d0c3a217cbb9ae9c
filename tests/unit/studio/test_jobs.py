"""Ordering jobs: what is refused at once, what a repeat means, and how lists are paged."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image
from pydantic import ValidationError

from studio.assembly import Foundations
from studio.database.tables import ServerRow, WorkerRow
from studio.errors import (
    BadUpload,
    IdempotencyConflict,
    InvalidRequest,
    MissingCapability,
    NotFound,
    NothingToRestore,
    NotReady,
    NotRetryable,
)
from studio.records import now
from studio.servers import ServerRecord
from studio.service import Studio
from studio.values import (
    JobOptions,
    JobQuery,
    JobRequest,
    NewSubject,
    Server,
    Status,
    UploadedFile,
)
from tests.persons import as_jpeg
from tests.replay import encoded, png
from tests.unit.studio.test_planning import TINY
from webui_client.infotext import compose

STRANGER = JobRequest(preset="stranger", options=JobOptions(seed=1))


def test_a_new_job_waits_with_all_it_was_ordered_with(studio: Studio) -> None:
    job = studio.create_job(STRANGER)
    assert (job.status, job.preset_title.en, job.options.seed) == (Status.QUEUED, "Someone new", 1)
    assert studio.job(job.id) == job


def test_the_same_key_and_order_give_the_same_job(studio: Studio) -> None:
    first = studio.create_job(STRANGER, "key")
    assert studio.create_job(STRANGER, "key").id == first.id
    assert len(studio.jobs().items) == 1


def test_the_same_key_with_another_order_is_a_conflict(studio: Studio) -> None:
    studio.create_job(STRANGER, "key")
    with pytest.raises(IdempotencyConflict):
        studio.create_job(STRANGER.model_copy(update={"count": 2}), "key")


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (JobRequest(preset="nowhere"), "preset"),
        (JobRequest(preset="stranger", subject="nobody"), "subject"),
        (JobRequest(preset="studio-profile", options=JobOptions(pose="none")), "pose"),
    ],
)
def test_what_is_not_there_is_named(studio: Studio, request_: JobRequest, kind: str) -> None:
    with pytest.raises(NotFound) as refused:
        studio.create_job(request_)
    assert refused.value.data["kind"] == kind


def test_a_preset_with_identity_needs_a_learned_subject(studio: Studio) -> None:
    subject = studio.create_subject(NewSubject(name="A", consent=True))
    with pytest.raises(NotReady):
        studio.create_job(JobRequest(preset="studio-profile", subject=subject.id))


def test_a_preset_with_identity_runs_without_a_subject(studio: Studio) -> None:
    assert studio.create_job(JobRequest(preset="studio-profile")).subject is None


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "x"])
def test_a_seed_out_of_range_is_refused_before_anything_else(seed: object) -> None:
    with pytest.raises(ValidationError):
        JobRequest.model_validate({"preset": "stranger", "options": {"seed": seed}})


@pytest.mark.parametrize("count", [0, 17])
def test_a_job_makes_one_to_sixteen_pictures(count: int) -> None:
    with pytest.raises(ValidationError):
        JobRequest(preset="stranger", count=count)


def test_an_unknown_override_is_refused_before_the_job_exists(studio: Studio) -> None:
    with pytest.raises(InvalidRequest):
        studio.create_job(JobRequest(preset="stranger", options=JobOptions(stages={"tone": {"x": 1}})))
    assert studio.jobs().items == ()


def test_an_unknown_sampler_is_refused_before_gpu_time_is_spent(base: Foundations, studio: Studio) -> None:
    serve(base)
    with pytest.raises(MissingCapability, match="Magic"):
        studio.create_job(
            JobRequest(preset="stranger", options=JobOptions(stages={"tone": {"sampler": "Magic"}}))
        )
    assert studio.create_job(STRANGER).status is Status.QUEUED


def test_the_catalogue_says_which_presets_the_servers_cannot_do(base: Foundations, studio: Studio) -> None:
    assert all(preset.available for preset in studio.presets())
    serve(base, upscalers=("None",))
    profile = studio.preset("studio-profile")
    assert not profile.available
    assert profile.missing[0].kind == "upscaler"


def test_the_catalogue_says_what_is_left_out_of_presets_for_no_server_has_it(
    base: Foundations, studio: Studio
) -> None:
    assert studio.preset("studio-profile").left_out == ()
    serve(base)
    assert [part.name for part in studio.preset("studio-profile").left_out] == ["hand_yolov8n.pt"]


def test_the_studio_profile_comes_first_in_the_catalogue(studio: Studio) -> None:
    assert studio.presets()[0].name == "studio-profile"


def test_a_presets_text_can_be_checked_without_being_kept(studio: Studio) -> None:
    check = studio.validate_preset(
        "title: {en: A, ko: B}\nprompt: x\nstages: {a: {use: txt2img, steps: 0}}\n"
    )
    assert not check.ok
    assert (check.problems[0].line, check.problems[0].key) == (3, "stages.a.steps")
    assert studio.validate_preset("extends: studio-profile\ntitle: {en: A, ko: B}\n").ok


def test_only_a_failed_or_cancelled_job_can_be_retried(studio: Studio) -> None:
    job = studio.create_job(STRANGER)
    with pytest.raises(NotRetryable):
        studio.retry_job(job.id)
    studio.cancel_job(job.id)
    assert studio.retry_job(job.id).status is Status.QUEUED


def test_jobs_are_paged_newest_first_and_filtered(studio: Studio) -> None:
    ids = [studio.create_job(STRANGER).id for _ in range(3)]
    studio.cancel_job(ids[0])
    first = studio.jobs(JobQuery(limit=2))
    rest = studio.jobs(JobQuery(limit=2, cursor=first.next))
    assert [job.id for job in (*first.items, *rest.items)] == ids[::-1]
    assert rest.next is None
    assert [job.id for job in studio.jobs(JobQuery(status=Status.CANCELLED)).items] == [ids[0]]


@pytest.mark.parametrize("cursor", ["nonsense", "", "bm90IGEgZGF0ZSB4"])
def test_a_cursor_that_is_none_is_refused(studio: Studio, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        studio.jobs(JobQuery(cursor=cursor))


def test_what_runs_is_told_in_one_look(studio: Studio) -> None:
    job = studio.create_job(STRANGER)
    (running,) = studio.status().running
    assert (running.kind, running.id, running.title.en) == ("job", job.id, "Someone new")


def test_another_owner_sees_no_job(base: Foundations, studio: Studio) -> None:
    job = studio.create_job(STRANGER)
    stranger = Studio(base, owner_id="stranger")
    assert stranger.jobs().items == ()
    for look in (stranger.job, stranger.cancel_job, stranger.retry_job, stranger.job_preview):
        with pytest.raises(NotFound):
            look(job.id)


def test_a_pose_is_cleaned_kept_and_usable(studio: Studio) -> None:
    pose = studio.add_pose(UploadedFile(filename="../jump.png", stream=io.BytesIO(png(96, 128))))
    assert studio.poses()[-1] == pose
    assert studio.pose_file(pose.id).read_bytes().startswith(b"\xff\xd8")
    options = JobOptions(pose=pose.id)
    assert studio.create_job(JobRequest(preset="studio-profile", options=options)).options.pose == pose.id


def test_shipped_poses_come_first_and_can_be_ordered(studio: Studio) -> None:
    shipped = studio.poses()
    assert shipped[0].title.ko == "정면"
    assert all(pose.bundled for pose in shipped)
    with Image.open(studio.pose_file(shipped[0].id)) as skeleton:
        assert skeleton.size == (512, 768)
    studio.create_job(JobRequest(preset="studio-profile", options=JobOptions(pose=shipped[0].id)))


def test_a_pose_that_is_no_picture_is_refused(studio: Studio) -> None:
    with pytest.raises(BadUpload) as refused:
        studio.add_pose(UploadedFile(filename="x.jpg", stream=io.BytesIO(b"text")))
    assert refused.value.reason == "not_a_picture"


def test_an_a1111_picture_restores_its_settings(studio: Studio) -> None:
    text = compose("a hat", "blurry", [("Steps", 20), ("Sampler", "Euler a"), ("CFG scale", 7), ("Seed", 77)])
    for kind in ("PNG", "JPEG"):
        picture = base64.b64decode(encoded(Image.new("RGB", (32, 32)), kind, text))
        restored = studio.restore(io.BytesIO(picture))
        assert (restored.source, restored.options.seed, restored.options.prompt) == ("a1111", 77, "a hat")
        assert restored.settings["Sampler"] == "Euler a"


def test_a_picture_without_settings_has_nothing_to_restore(studio: Studio) -> None:
    with pytest.raises(NothingToRestore):
        studio.restore(io.BytesIO(as_jpeg(Image.new("RGB", (32, 32)))))
    with pytest.raises(BadUpload):
        studio.restore(io.BytesIO(b"no picture"))


def serve(base: Foundations, **facts: object) -> None:
    """Have a worker and a server in the records."""
    changed = TINY.model_copy(update=facts)
    server = Server(
        url=changed.url,
        flavour="sajin",
        version="",
        status="ready",
        checkpoint=changed.checkpoint,
        native_size=128,
        demonstration=True,
        capabilities={},
        problem=None,
        seen_at=now(),
    )
    record = ServerRecord(server=server, facts=changed).model_dump(mode="json")
    with base.database.write() as session:
        session.add(WorkerRow(executor_id="test", pid=1, seen_at=now()))
        session.add(ServerRow(url=changed.url, record=record, task_id=None, seen_at=now()))

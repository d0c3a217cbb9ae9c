"""Jobs: runs of a preset."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from flask_api.answers import JobAnswer, JobsAnswer
from flask_api.contents import EVENT_RESPONSES, PICTURE_RESPONSES
from flask_api.context import listeners, presenter, studio
from flask_api.files import picture_file
from flask_api.forms import IdempotencyHeaders, JobForm, JobsQuery, WatchQuery

jobs = APIBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", tag="Jobs")


@jobs.get("")
@jobs.input(JobsQuery, location="query", arg_name="query")
@jobs.output(JobsAnswer)
def list_jobs(query: JobsQuery) -> JobsAnswer:
    """Jobs, newest first."""
    page = studio().jobs(query)
    return JobsAnswer(items=[presenter().job(job) for job in page.items], next=page.next)


@jobs.post("")
@jobs.input(JobForm, arg_name="form")
@jobs.input(IdempotencyHeaders, location="headers", arg_name="headers")
@jobs.output(JobAnswer, status_code=202)
def create_job(form: JobForm, headers: IdempotencyHeaders) -> JobAnswer:
    """Ask for pictures. The answer comes at once; follow the job for its pictures."""
    return presenter().job(studio().create_job(form, headers.idempotency_key))


@jobs.get("/<job_id>")
@jobs.input(WatchQuery, location="query", arg_name="query")
@jobs.output(JobAnswer)
def read_job(job_id: str, query: WatchQuery) -> JobAnswer:
    """One job with its images so far."""
    return presenter().job(studio().job(job_id, preview=query.preview))


@jobs.get("/<job_id>/events")
@jobs.doc(responses=EVENT_RESPONSES)
def follow_job(job_id: str) -> Response:
    """The job as an event stream, until it is finished."""
    present, read = presenter().job, studio().job
    return listeners().stream("job", lambda: present(read(job_id)))


@jobs.post("/<job_id>/cancel")
@jobs.output(JobAnswer)
def cancel_job(job_id: str) -> JobAnswer:
    """Stop a job; its finished images stay."""
    return presenter().job(studio().cancel_job(job_id))


@jobs.post("/<job_id>/retry")
@jobs.output(JobAnswer, status_code=202)
def retry_job(job_id: str) -> JobAnswer:
    """Queue a failed or cancelled job again, from the stage where it stopped, or for as many candidates again."""
    return presenter().job(studio().retry_job(job_id))


@jobs.get("/<job_id>/nearest")
@jobs.doc(responses=PICTURE_RESPONSES)
def read_nearest(job_id: str) -> Response:
    """The picture that came nearest to the likeness asked for without reaching it."""
    return picture_file(studio().nearest_picture(job_id))


@jobs.post("/<job_id>/again")
@jobs.input(IdempotencyHeaders, location="headers", arg_name="headers")
@jobs.output(JobAnswer, status_code=202)
def redo_job(job_id: str, headers: IdempotencyHeaders) -> JobAnswer:
    """Make an instant job once more with what was learned of the person meanwhile, in a job of its own."""
    return presenter().job(studio().redo_job(job_id, headers.idempotency_key))


@jobs.get("/<job_id>/preview")
@jobs.doc(responses=PICTURE_RESPONSES)
def read_preview(job_id: str) -> Response:
    """The live preview of the running stage."""
    return picture_file(studio().job_preview(job_id))

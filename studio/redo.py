"""Instant now, trained later: whether a job that took its face from a photo can be made again with what was learned."""

from __future__ import annotations

from sqlalchemy.orm import Session

from studio.database.tables import JobRow
from studio.servers import known_servers
from studio.subjects import adapters_of
from studio.training_rows import newest_training
from studio.values import JobOptions, JobRequest, Redo, Status
from webui_client.capabilities import name_of_checkpoint


def redo_of(session: Session, job: JobRow) -> Redo:
    """Whether a job can be made again with what was learned: "ready" once something is that fits a server."""
    if job.subject_id is None or not _took_its_face_from_a_photo(job):
        return "none"
    learned_on = {adapter.checkpoint for adapter in adapters_of(session, job.subject_id)}
    present = {name_of_checkpoint(server.checkpoint) for server in known_servers(session)}
    if learned_on & present or (learned_on and not present):
        return "ready"
    training = newest_training(session, job.subject_id)
    return "none" if training is None or Status(training.status).final else "learning"


def redo_request(job: JobRow) -> JobRequest:
    """The order of a job once more without its photo: the same look, words, reference and seeds."""
    options = JobOptions.model_validate(job.options | {"photo": None, "seed": job.seed})
    return JobRequest(preset=job.preset, subject=job.subject_id, count=job.count, options=options)


def _took_its_face_from_a_photo(job: JobRow) -> bool:
    finished = job.status == Status.SUCCEEDED and job.plan is not None
    return finished and job.product["identity"] == "instant" and (job.plan or {}).get("identity") is None

"""Subjects: the people to be learned."""

from __future__ import annotations

from apiflask import APIBlueprint

from flask_api.answers import CoachAnswer, SubjectAnswer, SubjectsAnswer
from flask_api.context import presenter, studio
from flask_api.forms import SubjectForm

subjects = APIBlueprint("subjects", __name__, url_prefix="/api/v1/subjects", tag="Subjects")


@subjects.get("")
@subjects.output(SubjectsAnswer)
def list_subjects() -> SubjectsAnswer:
    """All subjects, newest first."""
    items = [presenter().subject(subject) for subject in studio().list_subjects()]
    return SubjectsAnswer(items=items, next=None)


@subjects.post("")
@subjects.input(SubjectForm, arg_name="form")
@subjects.output(SubjectAnswer, status_code=201)
def create_subject(form: SubjectForm) -> SubjectAnswer:
    """Record a person together with their consent."""
    return presenter().subject(studio().create_subject(form))


@subjects.get("/<subject_id>")
@subjects.output(SubjectAnswer)
def read_subject(subject_id: str) -> SubjectAnswer:
    """One subject."""
    return presenter().subject(studio().subject(subject_id))


@subjects.get("/<subject_id>/coach")
@subjects.output(CoachAnswer)
def coach_subject(subject_id: str) -> CoachAnswer:
    """What the photos cover, and what one more would help most."""
    return presenter().coach(studio().coach(subject_id))


@subjects.delete("/<subject_id>")
@subjects.output({}, status_code=204)
def erase_subject(subject_id: str) -> str:
    """Erase a person everywhere: photos, learned identity, jobs and images."""
    studio().erase_subject(subject_id)
    return ""

"""Trainings: teaching the model one subject."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from flask_api.answers import ReportAnswer, TrainingAnswer, TrainingsAnswer
from flask_api.contents import EVENT_RESPONSES, PICTURE_RESPONSES
from flask_api.context import listeners, presenter, studio
from flask_api.files import picture_file
from flask_api.forms import TrainingForm
from studio.errors import NotFound
from studio.values import Training

trainings = APIBlueprint(
    "trainings", __name__, url_prefix="/api/v1/subjects/<subject_id>/trainings", tag="Trainings"
)


@trainings.get("")
@trainings.output(TrainingsAnswer)
def list_trainings(subject_id: str) -> TrainingsAnswer:
    """A subject's trainings, newest first."""
    items = [presenter().training(training) for training in studio().trainings(subject_id)]
    return TrainingsAnswer(items=items, next=None)


@trainings.post("")
@trainings.input(TrainingForm, arg_name="form")
@trainings.output(TrainingAnswer, status_code=202)
def start_training(subject_id: str, form: TrainingForm) -> TrainingAnswer:
    """Queue the learning of a subject."""
    return presenter().training(studio().start_training(subject_id, form))


@trainings.get("/<training_id>")
@trainings.output(TrainingAnswer)
def read_training(subject_id: str, training_id: str) -> TrainingAnswer:
    """One training."""
    return presenter().training(_training(subject_id, training_id))


@trainings.get("/<training_id>/events")
@trainings.doc(responses=EVENT_RESPONSES)
def follow_training(subject_id: str, training_id: str) -> Response:
    """The training as an event stream, until it is finished."""
    present, read = presenter().training, studio().training
    _training(subject_id, training_id)
    return listeners().stream("training", lambda: present(read(training_id)))


@trainings.post("/<training_id>/cancel")
@trainings.output(TrainingAnswer)
def cancel_training(subject_id: str, training_id: str) -> TrainingAnswer:
    """Stop a training."""
    _training(subject_id, training_id)
    return presenter().training(studio().cancel_training(training_id))


@trainings.get("/<training_id>/report")
@trainings.output(ReportAnswer)
def read_report(subject_id: str, training_id: str) -> ReportAnswer:
    """How good what was learned is: every candidate with its validation pictures, and what would help next time."""
    _training(subject_id, training_id)
    return presenter().report(studio().training_report(training_id))


@trainings.get("/<training_id>/report/pictures/<picture_id>")
@trainings.doc(responses=PICTURE_RESPONSES)
def read_report_picture(subject_id: str, training_id: str, picture_id: str) -> Response:
    """One validation picture."""
    _training(subject_id, training_id)
    return picture_file(studio().report_picture(training_id, picture_id))


def _training(subject_id: str, training_id: str) -> Training:
    training = studio().training(training_id)
    if training.subject_id != subject_id:
        raise NotFound("training", training_id)
    return training

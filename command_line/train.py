"""`sajin train`, and the first half of `sajin portrait`: photos in, a learned person out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.errors import CannotStart, JobFailed
from command_line.session import Session, picture_files, studio_session
from command_line.terminal import Terminal
from training.names import TrainerName

CONSENT_LINE = "By going on you say that the person in these photos agrees to this use of them."

BY_THE_CLOCK = (
    "EasyPhoto does not say how far it is: the bar is an estimate by the clock. "
    "Stopping here does not stop the server."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """A person to learn. photos: a folder. steps, trainer: None leaves them to the trainer and to the settings.

    method: as the API takes it.
    """

    photos: Path
    name: str
    class_noun: str
    steps: int | None = None
    trainer: TrainerName | None = None
    method: dict[str, Any] | None = None


def method_of(name: str | None, options: Sequence[str]) -> dict[str, Any] | None:
    """The method as the API takes it; None for the usual one. options: NAME=VALUE, VALUE as JSON or plain text.

    Raises CannotStart for an option that is not written so.
    """
    pairs = [option.partition("=") for option in options]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise CannotStart(f"--option wants NAME=VALUE, and got {key!r}")
    method = {key: _value(text) for key, _, text in pairs}
    if name is not None:
        method["name"] = name
    return method or None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def run(request: TrainRequest, webui_urls: tuple[str, ...], *, as_json: bool) -> None:
    """Learn a person and say under which id. Raises CommandError."""
    terminal = Terminal()
    with studio_session(webui_urls, terminal.say) as session:
        subject = add_subject(session, terminal, request)
        options = {"steps": request.steps, "trainer": request.trainer, "method": request.method}
        training = learn(session, terminal, subject["id"], options)
        adapter = training["adapter"]
        report = tell_report(session, terminal, training) if adapter["form"] == "lora" else None
    terminal.say(f"{request.name} is learned: subject {subject['id']}, {adapter['form']} {adapter['name']}")
    for note in adapter["notes"]:
        terminal.say(note)
    if as_json:
        facts = {"trainer": training["trainer"], "adapter": adapter["name"], "seconds": adapter["seconds"]}
        learned = {"form": adapter["form"], "notes": adapter["notes"], "chosen": _chosen(report)}
        print(json.dumps({"subject": subject["id"], **facts, **learned}))


def _chosen(report: dict[str, Any] | None) -> dict[str, Any] | None:
    if report is None:
        return None
    marks = {mark["code"]: mark["value"] for mark in report["marks"]}
    return {"steps": report["steps"], "weight": report["weight"], "marks": marks}


def add_subject(
    session: Session, terminal: Terminal, request: TrainRequest, *, one_is_enough: bool = False
) -> dict[str, Any]:
    """Record a person and upload the photos; shows the verdicts. Raises JobFailed when they do not suffice.

    one_is_enough: for what needs a single fit photo, as nothing is learned.
    """
    files = picture_files(request.photos)
    terminal.say(CONSENT_LINE)
    body = {"name": request.name[:100], "class_noun": request.class_noun, "consent": True}
    subject = session.api.post("/subjects", body)
    with terminal.console.status(f"looking at {len(files)} photos"):
        photos = session.api.upload(f"/subjects/{subject['id']}/photos", "photos", files)
    terminal.verdicts(photos)
    if one_is_enough and photos["set"]["fit"] > 0:
        return subject
    terminal.say(photos["set"]["message"])
    if not photos["set"]["enough"]:
        raise JobFailed(photos["set"]["message"], "not_enough_photos")
    return subject


def learn(
    session: Session,
    terminal: Terminal,
    subject_id: str,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Train on a subject's photos and return the finished training. Raises JobFailed.

    options: as POST …/trainings takes them.
    """
    training = session.api.post(f"/subjects/{subject_id}/trainings", options)
    if training["trainer"] == "easyphoto":
        terminal.say(BY_THE_CLOCK)
    with terminal.bar("learning") as look:
        training = session.follow(f"/subjects/{subject_id}/trainings/{training['id']}", look)
    raise_if_failed(training, "the training")
    return training


def tell_report(session: Session, terminal: Terminal, training: dict[str, Any]) -> dict[str, Any]:
    """Say how good what was learned is and what would help next time; the report."""
    place = f"/subjects/{training['subject_id']}/trainings/{training['id']}"
    report = session.api.get(f"{place}/report")
    terminal.say(report["summary"])
    for mark in report["marks"]:
        terminal.say(f"{mark['title']}: {mark['value']:.2f}  {mark['text']}")
    terminal.say(report["advice"]["message"])
    return report


def raise_if_failed(state: dict[str, Any], what: str) -> None:
    """Raise JobFailed unless a job or training succeeded."""
    if state["status"] == "succeeded":
        return
    error = state["error"]
    if error is None:
        raise JobFailed(f"{what} was {state['status']}", state["status"])
    account = f"{error['message']} {error['remedy']} ({error['details']})"
    raise JobFailed(f"{what} did not succeed: {account}", error["code"])

"""Servers, what runs, and whether work would be done."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from studio.values.base import Fraction, Value, Words
from training.names import TrainerName


class Server(Value):
    """A WebUI server as the worker last saw it. native_size: shorter side in pixels its checkpoint was made for.

    status: busy with a run of ours; resting, left alone until retry_at after failures runs that went wrong in a row;
    drained, takes no new work and runs none; down, cannot be used. takes_work: what was asked for, which the worker
    follows within seconds. speed: pixels times steps a second, a moving average, None until measured.
    problem: why it is down or rests, as a code of studio.pipeline.retrying or "worker_not_running". details: the
    technical account of it, in English.
    """

    url: str
    flavour: str
    version: str
    status: Literal["ready", "busy", "resting", "drained", "down"]
    takes_work: bool = True
    speed: float | None = None
    failures: int = 0
    retry_at: datetime | None = None
    checkpoint: str
    native_size: int
    demonstration: bool
    capabilities: dict[str, tuple[str, ...]]
    problem: str | None
    details: str = ""
    seen_at: datetime


class Running(Value):
    """A job or training under way. title: of the preset, or the subject's name."""

    kind: Literal["job", "training"]
    id: str
    subject: str | None
    title: Words
    progress: Fraction
    eta_seconds: float | None


class TrainingAvailability(Value):
    """Whether identities can be learned here. code: "ready" or why not, as TrainingUnavailable's reason.

    checkpoint: bare name of the one they would be learned on, "" where it is not known.
    trainer: the one that learns unless another is asked for. trainers: all that could learn now.
    """

    available: bool
    code: str
    checkpoint: str
    trainer: TrainerName
    trainers: tuple[TrainerName, ...]


class StudioStatus(Value):
    """What goes on, in one look. worker_alive: whether a worker gave a sign of life in the last seconds."""

    running: tuple[Running, ...]
    demonstration: bool
    training: TrainingAvailability
    worker_alive: bool
    version: str


class Readiness(Value):
    """Whether work would be done now. problems: codes such as "worker_not_running", "no_server"."""

    ready: bool
    problems: tuple[str, ...]

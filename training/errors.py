"""The error tree of training. Each error says what failed and what can be done about it."""

from __future__ import annotations

from enum import StrEnum


class TrainingError(Exception):
    """The root of every training error."""


class TrainingCancelled(TrainingError):
    """The training was stopped because its owner asked for it."""


class TrainingFailed(TrainingError):
    """The trainer could not finish.

    reason: what happened, one sentence. remedy: what to do, one sentence. details: the end of the trainer's own log.
    """

    def __init__(self, reason: str, remedy: str, details: str = "") -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.details = details


class TrainerObstacle(StrEnum):
    """What stands in a trainer's way before anything is run."""

    MISSING = "trainer_missing"
    UNKNOWN_VERSION = "trainer_version"
    PYTHON_MISSING = "trainer_python"
    CHECKPOINT_UNFIT = "checkpoint_unfit"
    SERVER_WITHOUT = "trainer_not_served"


class TrainerUnusable(TrainingFailed):
    """The trainer's program is missing or unknown to us, or the checkpoint is not of a kind it learns on."""

    def __init__(self, obstacle: TrainerObstacle, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.obstacle = obstacle

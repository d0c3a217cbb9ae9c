"""The worker: the process that runs jobs and trainings. It imports no picture model and no face library."""

from studio.worker.process import run

__all__ = ["run"]

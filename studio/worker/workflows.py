"""The workflows as the durable queue knows them: only the order of steps, all of it decided by recorded values."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from dbos import DBOS

from studio.queue import RUN_JOB, RUN_TRAINING
from studio.worker.faults import persevering
from studio.worker.job_steps import JobSteps, Outline
from studio.worker.stopping import Stopping
from studio.worker.training_steps import TrainingSteps

MOST_CRASHES = 8

P = ParamSpec("P")
R = TypeVar("R")


def register_job_workflow(jobs: JobSteps, stopping: Stopping) -> None:
    """Tell DBOS how a job runs; to be called once, before it is launched."""
    step = _steps_that_count(stopping)
    open_job = step("open_job")(jobs.open)
    run_stage = step("run_stage")(jobs.stage)
    finish_picture = step("finish_picture")(jobs.finish)
    close_job = step("close_job")(jobs.close)

    @DBOS.workflow(name=RUN_JOB, max_recovery_attempts=MOST_CRASHES)
    def run_job(job_id: str, attempt: int) -> None:
        job_in_order(
            job_id,
            attempt,
            open_job=open_job,
            run_stage=run_stage,
            finish_picture=finish_picture,
            close_job=close_job,
        )


def job_in_order(
    job_id: str,
    attempt: int,
    *,
    open_job: Callable[[str, int], Outline | None],
    run_stage: Callable[[str, int, str], bool],
    finish_picture: Callable[[str, int], bool | None],
    close_job: Callable[[str], None],
) -> None:
    """The steps of JobSteps as a job takes them: picture by picture, until as many as are wanted are delivered."""
    outline = open_job(job_id, attempt)
    if outline is None:
        return
    missing = outline["missing"]
    for number in outline["numbers"]:
        if not missing:
            break
        if not all(run_stage(job_id, number, stage) for stage in outline["stages"]):
            return
        delivered = finish_picture(job_id, number)
        if delivered is None:
            return
        missing -= delivered
    close_job(job_id)


def register_training_workflow(trainings: TrainingSteps, stopping: Stopping) -> None:
    """Tell DBOS how a training runs; to be called once, before it is launched."""
    step = _steps_that_count(stopping)
    learn = step("learn")(trainings.learn)
    score = step("score")(trainings.score)
    install = step("install")(trainings.install)

    @DBOS.workflow(name=RUN_TRAINING, max_recovery_attempts=MOST_CRASHES)
    def run_training(training_id: str) -> None:
        learned = learn(training_id)
        if learned is None:
            return
        chosen = score(training_id, learned)
        if chosen is not None:
            install(training_id, chosen)


def _steps_that_count(stopping: Stopping) -> Callable[[str], Callable[[Callable[P, R]], Callable[P, R]]]:
    """A maker of DBOS steps that tell stopping when they work, and persevere."""

    def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        def decorate(body: Callable[P, R]) -> Callable[P, R]:
            steadfast = persevering(body, stopping)

            def counted(*args: P.args, **kwargs: P.kwargs) -> R:
                stopping.entered()
                try:
                    return steadfast(*args, **kwargs)
                finally:
                    stopping.left()

            return DBOS.step(name=name)(counted)

        return decorate

    return step

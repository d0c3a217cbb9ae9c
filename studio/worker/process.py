"""The worker's life: lock, servers, durable queue, and an end that loses nothing."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

import structlog

from studio.assembly import Foundations, lay_foundations
from studio.database.connect import WAIT_SECONDS
from studio.database.durable import patient_engine
from studio.pipeline.attempts import ServerTasks
from studio.pipeline.describing import Describer
from studio.pipeline.finishing import Finisher
from studio.pipeline.retrying import RetryPolicy
from studio.pipeline.runner import StageRunner
from studio.poses import Poses
from studio.queue import APPLICATION, APPLICATION_VERSION, JOBS, TRAININGS
from studio.settings import Settings
from studio.trainers import trainers
from studio.worker.job_steps import JobSteps
from studio.worker.lock import executor_lock
from studio.worker.scoring import Scorer
from studio.worker.server_loras import ServerLoras
from studio.worker.stopping import Stopping
from studio.worker.training_steps import TrainingSteps
from studio.worker.watching import Watcher
from studio.worker.workflows import register_job_workflow, register_training_workflow
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool
from webui_client.values import Timeouts

LOG = structlog.get_logger()
LETTING_GO_SECONDS = 5.0
FOLLOW_SECONDS = 1.0
TRAININGS_POLL_SECONDS = 1.0
JOBS_PER_SERVER = 2
"""One at work there, and one to follow at once while the first is between two stages or being finished."""


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; the exit status.

    Jobs under way are let go, not cancelled: the next worker with this executor id resumes them after their last
    finished stage. Raises ExecutorInUse, StorageError, BrokenLibrary before any work is done.
    """
    base = lay_foundations(settings, wait_seconds=max(settings.patience_seconds, WAIT_SECONDS))
    with executor_lock(settings.data_folder, settings.executor_id):
        stopping = Stopping()
        _stop_on_signals(stopping)
        base.store.sweep()
        base.loras.sweep()
        _work(base, stopping)
        try:
            LOG.info("worker stops")
            stopping.wait_until_idle(LETTING_GO_SECONDS)
            base.faces.close()
        finally:
            _leave()
    return 0


def _work(base: Foundations, stopping: Stopping) -> None:
    """Open for work, and stay until asked to stop."""
    settings = base.settings
    pool = webui_pool(settings)
    watcher = Watcher(
        database=base.database,
        queue=base.queue,
        pool=pool,
        executor_id=settings.executor_id,
        stopping=stopping,
    )
    tasks = ServerTasks(database=base.database)
    watcher.forget_other_servers()
    watcher.follow_drains()
    for client in pool.clients:
        tasks.stop_leftover(client)
    watcher.start()
    register_job_workflow(job_steps(base, pool, tasks, stopping), stopping)
    register_training_workflow(training_steps(base, pool, tasks, stopping), stopping)
    _open_queues(settings, servers=len(pool.clients))
    LOG.info("worker ready", executor=settings.executor_id, servers=list(settings.server_urls))
    while not stopping.wait_until_asked(3600):
        continue


def _open_queues(settings: Settings, *, servers: int) -> None:
    """Launch DBOS, which resumes what this executor had under way, and begin to take work."""
    from dbos import DBOS

    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": settings.durable_database,
            "system_database_engine": patient_engine(settings.durable_database),
            "executor_id": settings.executor_id,
            "application_version": APPLICATION_VERSION,
            "log_level": "WARNING",
        }
    )
    DBOS.listen_queues([JOBS, TRAININGS])
    DBOS.launch()
    DBOS.register_queue(
        JOBS,
        worker_concurrency=JOBS_PER_SERVER * servers,
        polling_interval_sec=settings.poll_seconds,
        on_conflict="always_update",
    )
    DBOS.register_queue(
        TRAININGS,
        worker_concurrency=1,
        polling_interval_sec=TRAININGS_POLL_SECONDS,
        on_conflict="always_update",
    )


def webui_pool(settings: Settings) -> WebuiPool:
    """The servers of the settings; all processes that use this data folder share their locks."""
    timeouts = Timeouts(poll=FOLLOW_SECONDS)
    clients = [WebuiClient(url, auth=settings.auth_pair, timeouts=timeouts) for url in settings.server_urls]
    return WebuiPool(clients, settings.data_folder / "locks")


def job_steps(base: Foundations, pool: WebuiPool, tasks: ServerTasks, stopping: Stopping) -> JobSteps:
    """The steps of jobs on these foundations."""
    policy = RetryPolicy(patience_seconds=base.settings.patience_seconds)
    return JobSteps(
        database=base.database,
        library=base.library,
        store=base.store,
        loras=base.loras,
        poses=lambda owner_id: Poses(
            database=base.database,
            store=base.store,
            shipped=base.settings.presets_dir / "poses",
            owner_id=owner_id,
        ),
        previews=base.previews,
        pool=pool,
        policy=policy,
        runner=_stage_runner(base, pool, tasks, policy),
        finisher=Finisher(database=base.database, store=base.store, faces=base.faces),
        stopping=stopping,
    )


def training_steps(
    base: Foundations, pool: WebuiPool, tasks: ServerTasks, stopping: Stopping
) -> TrainingSteps:
    """The steps of trainings on these foundations."""
    policy = RetryPolicy(patience_seconds=base.settings.patience_seconds)
    return TrainingSteps(
        settings=base.settings,
        database=base.database,
        store=base.store,
        loras=base.loras,
        trainers=trainers(base.settings, pool),
        scorer=Scorer(
            servers=ServerLoras(loras=base.loras, pool=pool),
            runner=_stage_runner(base, pool, tasks, policy),
            policy=policy,
            faces=base.faces,
            prompts=base.library.prompts,
        ),
        stopping=stopping,
    )


def _stage_runner(base: Foundations, pool: WebuiPool, tasks: ServerTasks, policy: RetryPolicy) -> StageRunner:
    describer = Describer(pool=pool, look=base.faces.check)
    return StageRunner(base.database, base.store, base.faces, pool, tasks, policy, describer)


def _stop_on_signals(stopping: Stopping) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopping.ask()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _leave() -> None:
    """End the process at once, whatever happened: parked steps, which never end, would keep it for ever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(0)

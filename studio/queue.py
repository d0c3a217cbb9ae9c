"""The durable queue as its clients see it: put work in, ask whether it is still known."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from studio.database.connect import shown, translated
from studio.database.durable import impatient_engine, make_ready
from studio.database.migrate import alone
from studio.errors import DatabaseUnusable, StorageError

if TYPE_CHECKING:
    from dbos import DBOSClient

LOG = structlog.get_logger()
APPLICATION = "sajin"
# Raised when the order or meaning of a workflow's steps changes: a worker leaves other versions' work alone.
APPLICATION_VERSION = "2"
JOBS, TRAININGS = "jobs", "trainings"
RUN_JOB, RUN_TRAINING = "run_job", "run_training"
DEAD = frozenset({"ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED"})


class DurableQueue:
    """Client of the durable database. Its connection is made at first use; threads may share it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._engine = impatient_engine(address)
        self._lock = threading.Lock()
        self._client: DBOSClient | None = None

    def put_job(self, job_id: str, attempt: int) -> None:
        """Queue an attempt at a job; doing it twice is harmless.

        While the durable database cannot be used nothing is queued: a worker does it later, for it looks after every
        job that is kept and not queued.
        """
        self._put(JOBS, RUN_JOB, job_workflow(job_id, attempt), job_id, attempt)

    def put_training(self, training_id: str) -> None:
        """Queue a training, as put_job does a job."""
        self._put(TRAININGS, RUN_TRAINING, training_id, training_id)

    def state(self, workflow_id: str) -> str | None:
        """DBOS's word for where a workflow stands, None when it was never queued. Raises StorageError."""
        with queue_errors(self._address):
            found = self._connected().list_workflows(
                workflow_ids=[workflow_id], load_input=False, load_output=False
            )
        return found[0].status if found else None

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._client is not None:
                self._client.destroy()
                self._client = None
            if self._engine is not None:
                self._engine.dispose()

    def _put(self, queue: str, workflow: str, workflow_id: str, *arguments: Any) -> None:
        try:
            with queue_errors(self._address):
                self._connected().enqueue(
                    {
                        "queue_name": queue,
                        "workflow_name": workflow,
                        "workflow_id": workflow_id,
                        "app_version": APPLICATION_VERSION,
                    },
                    *arguments,
                )
        except StorageError as error:
            LOG.warning("to be queued later", workflow=workflow_id, error=str(error))

    def _connected(self) -> DBOSClient:
        with self._lock:
            if self._client is None:
                from dbos import DBOSClient

                self._client = DBOSClient(
                    system_database_url=self._address,
                    system_database_engine=self._engine,
                    retry_connection_errors=False,
                )
            return self._client


def prepare_durable_database(address: str, lock: Path) -> None:
    """Make DBOS's tables; processes that start together take turns at the lock file. Raises StorageError."""
    from dbos import DBOS

    with alone(lock), queue_errors(address):
        make_ready(address)
        DBOS.migrate(address)


@contextmanager
def queue_errors(address: str) -> Iterator[None]:
    """Translate the durable database's errors into StorageError, the cause kept."""
    try:
        yield
    except OperationalError as error:
        raise translated(error, address) from error
    except DBAPIError as error:
        raise DatabaseUnusable(shown(address), str(error.orig)) from error


def job_workflow(job_id: str, attempt: int) -> str:
    """The workflow id of an attempt at a job."""
    return f"{job_id}.{attempt}"

"""Which task of ours runs on which server, kept so that a killed worker's leftover can be stopped."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import select, update

from studio.database.connect import Database
from studio.database.tables import ServerRow
from webui_client.client import WebuiClient
from webui_client.errors import WebuiError

LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTasks:
    """The tasks under way, one per server at most."""

    database: Database

    def begin(self, client: WebuiClient, task_id: str) -> None:
        """Note that a task is about to run."""
        self._note(client.url, task_id)

    def end(self, client: WebuiClient) -> None:
        """Note that it has ended."""
        self._note(client.url, None)

    def stop_leftover(self, client: WebuiClient) -> None:
        """Interrupt what an earlier worker left running there, if it still is; its result would be lost anyway."""
        with self.database.read() as session:
            task_id = session.scalars(select(ServerRow.task_id).where(ServerRow.url == client.url)).first()
        if task_id is None:
            return
        try:
            if client.stop(task_id):
                LOG.info("leftover stopped", server=client.url, task=task_id)
        except WebuiError as error:
            LOG.warning("leftover not stopped", server=client.url, error=str(error))
            return
        self.end(client)

    def _note(self, url: str, task_id: str | None) -> None:
        with self.database.write() as session:
            session.execute(update(ServerRow).where(ServerRow.url == url).values(task_id=task_id))

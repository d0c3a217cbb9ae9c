"""LoRAs as the servers see them: put into their folder, shown, taken away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from studio.errors import TrainingObstacle, TrainingUnavailable
from studio.loras import LoraFolder
from webui_client.errors import WebuiError
from webui_client.pool import WebuiPool

LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLoras:
    """The LoRA folder together with the servers that read it."""

    loras: LoraFolder
    pool: WebuiPool

    def show(self, names: Iterable[str]) -> None:
        """Have every server read its LoRA folder again; one that is away finds the files at its next start.

        Raises TrainingUnavailable when servers answer but none of them sees all the names.
        """
        wanted = set(names)
        seen = []
        for client in self.pool.clients:
            try:
                client.refresh_loras()
                seen.append(wanted <= {known.name for known in client.loras()})
            except WebuiError as error:
                LOG.warning("LoRAs not refreshed", server=client.url, error=str(error))
        if seen and not any(seen):
            raise TrainingUnavailable(
                TrainingObstacle.LORA_DIR_ELSEWHERE,
                f"No server lists the LoRA put into {self.loras.folder}; check SAJIN_LORA_DIR.",
            )

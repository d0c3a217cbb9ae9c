"""LoRAs as the servers see them: put into their folders, shown, taken away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from studio.errors import TrainingObstacle, TrainingUnavailable
from studio.loras import LoraFolders, listed_after_refresh
from training.names import AdapterForm
from webui_client.pool import WebuiPool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLoras:
    """The LoRA folders together with the servers that read them."""

    loras: LoraFolders
    pool: WebuiPool

    def show(self, names: Iterable[str], form: AdapterForm = "lora") -> None:
        """Have every server read its folder of that form again; one that is away finds the files at its next start.

        Raises TrainingUnavailable when servers answer but none of them sees all the names.
        """
        listed = listed_after_refresh(self.pool.clients, *names, form=form)
        if listed and not any(listed):
            folders = ", ".join(map(str, self.loras.of(form).folders))
            if form != "lora":
                raise TrainingUnavailable(
                    TrainingObstacle.FORM_NOT_PLACED,
                    f"No server lists what was put into {folders}; it reads another folder.",
                )
            raise TrainingUnavailable(
                TrainingObstacle.LORA_DIR_ELSEWHERE,
                f"No server lists the LoRA put into {folders}; check SAJIN_LORA_DIR and SAJIN_LORA_DIRS.",
            )

"""The folders from which the WebUI servers read LoRA files, and the other kinds of file that a training may yield."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from studio.errors import StorageError
from studio.store import PART, erase_stale, storage_errors, write_whole
from training.names import AdapterForm
from webui_client.capabilities import name_of_checkpoint
from webui_client.client import WebuiClient
from webui_client.errors import WebuiError

LOG = structlog.get_logger()
READABLE = 0o644
UNFINISHED = re.compile(PART + "[0-9a-f]{32}")
TRIAL = "sajin-trial-"
TRIALS = re.compile(TRIAL + r"[0-9a-f]{12}-\d+\.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraFolders:
    """The folders of all servers, each once; none where they are not known on this machine.

    Names of LoRAs are the studio's own. others: the folders for what is no LoRA.
    """

    folders: tuple[Path, ...]
    others: Mapping[AdapterForm, tuple[Path, ...]] = field(default_factory=dict)

    def of(self, form: AdapterForm) -> LoraFolders:
        """The folders for another kind of file."""
        return self if form == "lora" else LoraFolders(folders=self.others.get(form, ()))

    def lacking(self, name: str) -> LoraFolders:
        """Those of the folders in which the LoRA of that name does not lie."""
        return dataclasses.replace(
            self, folders=tuple(folder for folder in self.folders if not _file(folder, name).exists())
        )

    def install(self, name: str, content: bytes) -> None:
        """Put a LoRA in place whole, in every folder, readable for a WebUI of another user.

        A folder that cannot be written is passed over as long as another one can; raises StorageError otherwise.
        """
        errors = []
        for folder in self.folders:
            try:
                write_whole(_file(folder, name), content, folder, mode=READABLE)
            except StorageError as error:
                LOG.warning("LoRA not placed", folder=str(folder), error=str(error))
                errors.append(error)
        if errors and len(errors) == len(self.folders):
            raise errors[0]

    def sweep(self) -> None:
        """Erase what a killed install or a scoring that nobody took up again left long ago; other files stay."""
        for folder in self.folders:
            if folder.is_dir():
                erase_stale(
                    file
                    for file in folder.iterdir()
                    if UNFINISHED.fullmatch(file.name) or TRIALS.fullmatch(file.name)
                )

    def remove(self, *names: str) -> None:
        """Take LoRAs, and other files of those names, away from every folder; one that is gone already is fine.

        What one folder keeps hold of stays in no other; raises StorageError for the first such at the end.
        """
        errors = []
        for file in (_file(folder, name) for folder in self._everywhere() for name in names):
            try:
                with storage_errors(str(file)):
                    file.unlink(missing_ok=True)
            except StorageError as error:
                LOG.warning("LoRA not removed", file=str(file), error=str(error))
                errors.append(error)
        if errors:
            raise errors[0]

    def _everywhere(self) -> tuple[Path, ...]:
        return (*self.folders, *(folder for some in self.others.values() for folder in some))

    def remove_trials(self, training_id: str) -> None:
        """Take every candidate of a training that was placed for scoring out of every folder.

        What cannot be taken away now is left to a later sweep.
        """
        pattern = f"{trial_name(training_id, '*')}.safetensors"
        names = {file.stem for folder in self.folders for file in folder.glob(pattern)}
        with suppress(StorageError):
            self.remove(*names)


def trial_name(training_id: str, steps: int | str) -> str:
    """The LoRA name under which a training's candidate of so many steps is scored."""
    return f"{TRIAL}{training_id[:12]}-{steps}"


def listed_after_refresh(
    clients: Sequence[WebuiClient], *names: str, form: AdapterForm = "lora"
) -> tuple[bool, ...]:
    """Have every server read its folder of that form again; whether it lists the names now, for each that answered."""
    listed = []
    for client in clients:
        try:
            missing = set(names) - _LISTINGS[form](client)
        except WebuiError as error:
            LOG.warning("LoRAs not refreshed", server=client.url, error=str(error))
        else:
            listed.append(not missing)
            if missing:
                LOG.warning("LoRAs not listed", server=client.url, loras=sorted(missing))
    return tuple(listed)


def _loras(client: WebuiClient) -> set[str]:
    client.refresh_loras()
    return {known.name for known in client.loras()}


def _embeddings(client: WebuiClient) -> set[str]:
    client.refresh_embeddings()
    return set(client.all_embeddings())


def _checkpoints(client: WebuiClient) -> set[str]:
    client.refresh_checkpoints()
    return {name_of_checkpoint(known.title) for known in client.models()}


_LISTINGS: Mapping[AdapterForm, Callable[[WebuiClient], set[str]]] = {
    "lora": _loras,
    "embedding": _embeddings,
    "checkpoint": _checkpoints,
}


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"

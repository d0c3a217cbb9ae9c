"""The folder from which the WebUI servers read LoRA files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from studio.store import PART, erase_stale, write_whole

READABLE = 0o644
UNFINISHED = re.compile(PART + "[0-9a-f]{32}")
TRIAL = "sajin-trial-"
TRIALS = re.compile(TRIAL + r"[0-9a-f]{12}-\d+\.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraFolder:
    """The folder, or None where it is not known on this machine. Names are the studio's own."""

    folder: Path | None

    def file(self, name: str) -> Path | None:
        """Where the LoRA of that name lies or would lie."""
        return None if self.folder is None else self.folder / f"{name}.safetensors"

    def install(self, name: str, content: bytes) -> None:
        """Put a LoRA in place whole, readable for a WebUI of another user. Raises StorageError."""
        file = self.file(name)
        if file is not None:
            write_whole(file, content, file.parent, mode=READABLE)

    def sweep(self) -> None:
        """Erase what a killed install or a scoring that nobody took up again left long ago; other files stay."""
        if self.folder is not None and self.folder.is_dir():
            erase_stale(
                file
                for file in self.folder.iterdir()
                if UNFINISHED.fullmatch(file.name) or TRIALS.fullmatch(file.name)
            )

    def remove(self, name: str) -> None:
        """Take a LoRA away; one that is gone already is fine."""
        file = self.file(name)
        if file is not None:
            file.unlink(missing_ok=True)

    def remove_trials(self, training_id: str) -> None:
        """Take away every candidate of a training that was placed for scoring."""
        if self.folder is not None and self.folder.is_dir():
            for file in self.folder.glob(f"{trial_name(training_id, '*')}.safetensors"):
                file.unlink(missing_ok=True)


def trial_name(training_id: str, steps: int | str) -> str:
    """The LoRA name under which a training's candidate of so many steps is scored."""
    return f"{TRIAL}{training_id[:12]}-{steps}"

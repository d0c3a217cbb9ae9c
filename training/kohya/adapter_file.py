"""Whether a file that sd-scripts wrote is of a run that was finished."""

from __future__ import annotations

from pathlib import Path

from training.lora_file import LoraFile, read_lora

FINISHED = "ss_training_finished_at"


def read_finished(path: Path) -> LoraFile | None:
    """The file's content; None for one that is missing, cut off, unfinished or no LoRA."""
    lora = read_lora(path)
    return lora if lora is not None and FINISHED in lora.about else None

"""Names that stand in settings, requests and on the command line; importing them loads nothing else."""

from __future__ import annotations

from typing import Literal

TrainerName = Literal["embedded", "kohya", "easyphoto"]
MethodName = Literal[
    "lora",
    "locon",
    "dreambooth_lora",
    "dreambooth",
    "textual_inversion",
    "momentum_inversion",
    "pivotal_tuning",
]
AdapterForm = Literal["lora", "embedding", "checkpoint"]
"""What a training yields: a LoRA file, the vectors of a word, or a whole checkpoint."""
OptimizerName = Literal["adamw", "adamw8bit", "prodigy"]

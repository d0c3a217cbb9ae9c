"""The sd-scripts that are installed: a folder, a Python, and whether they are the ones we know how to drive."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from training.errors import TrainerObstacle, TrainerUnusable
from training.kohya.arguments import RULES, KohyaArguments, State
from training.kohya.checkpoint import Family

TOLD = ("avr_loss", "num batches per epoch", "total optimization steps", "ss_training_finished_at")
"""What the supervisor reads from the script's output and files."""

_DECLARED = re.compile(r'"--(\w+)"')


@dataclass(frozen=True, slots=True)
class Installation:
    """folder: of sd-scripts. python: the interpreter its requirements are installed for."""

    folder: Path
    python: Path

    def check(self, family: Family) -> None:
        """Raise TrainerUnusable unless the script for this family and the interpreter are there and known to us.

        sd-scripts tells no version. It is known by what it declares: every argument we pass and every word we read,
        which 0.9.0 to 0.10.1 have.
        """
        script = self.folder / RULES[family].script
        if not script.is_file():
            raise TrainerUnusable(
                TrainerObstacle.MISSING,
                f"There is no {script.name} in {self.folder}.",
                "Set SAJIN_KOHYA to the folder of kohya's sd-scripts.",
            )
        if not os.access(self.python, os.X_OK) or self.python.is_dir():
            raise TrainerUnusable(
                TrainerObstacle.PYTHON_MISSING,
                f"{self.python} is not a Python that can be run.",
                "Set SAJIN_KOHYA_PYTHON to the Python that sd-scripts is installed for.",
            )
        missing = _unknown_to(script, script.stat().st_mtime_ns)
        if missing:
            raise TrainerUnusable(
                TrainerObstacle.UNKNOWN_VERSION,
                f"The sd-scripts in {self.folder} does not know {', '.join(missing)}.",
                "Install sd-scripts 0.9 or newer.",
            )


@lru_cache(maxsize=16)
def _unknown_to(script: Path, changed_at: int) -> tuple[str, ...]:
    """What we pass or read and the sources do not have; changed_at is there for the cache alone."""
    del changed_at
    source = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in _sources(script))
    declared = set(_DECLARED.findall(source))
    return (
        *(f"--{name}" for name in argument_names() if name not in declared),
        *(repr(words) for words in TOLD if words not in source),
    )


def _sources(script: Path) -> Iterable[Path]:
    """The scripts and the library they take their arguments from."""
    base = script.with_name(RULES[Family.SD15].script)
    return [
        path for path in (script, base, *sorted((script.parent / "library").glob("*.py"))) if path.is_file()
    ]


@lru_cache(maxsize=1)
def argument_names() -> tuple[str, ...]:
    """The name of every argument that may be passed, for any family."""
    examples = (
        _example(Family.SD15, text_encoder_lr=1.0, clip_skip=1),
        _example(Family.SDXL, text_encoder_lr=0.0),
    )
    words = (word for example in examples for word in example.command_line() if word.startswith("--"))
    return tuple(dict.fromkeys(word[2:].partition("=")[0] for word in words))


def _example(family: Family, *, text_encoder_lr: float, clip_skip: int | None = None) -> KohyaArguments:
    """Arguments that use everything the family allows."""
    nowhere = Path("x")
    return KohyaArguments(
        family=family,
        checkpoint=nowhere,
        dataset_config=nowhere,
        output_dir=nowhere,
        output_name="x",
        resume=State(folder=nowhere, epoch=1),
        max_train_epochs=2,
        resolution=RULES[family].resolution,
        unet_lr=1.0,
        text_encoder_lr=text_encoder_lr,
        clip_skip=clip_skip,
        optimizer_type="Prodigy",
        gradient_checkpointing=True,
    )

"""From what went wrong in the child to words for a person."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

import torch
from PIL import UnidentifiedImageError

from training.embedded.adapter_file import WeightsNotNumbers
from training.embedded.learning import LossNotANumber
from training.embedded.messages import FailedMessage
from training.embedded.optimizers import OptimizerMissing
from webui_engine.errors import EngineError, MissingVocabulary

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def explain(error: Exception) -> FailedMessage:
    """The reason and the remedy. The traceback goes to standard error, which the parent keeps."""
    traceback.print_exception(error)
    reason, remedy = _words(error)
    return FailedMessage(reason=reason, remedy=remedy)


def _words(error: Exception) -> tuple[str, str]:
    match error:
        case OSError():
            return _words_of_files(error)
        case MissingVocabulary():
            return f"The checkpoint {error.path.name} has no tokenizer.", str(error)
        case EngineError():
            return f"The checkpoint cannot be used: {error}.", "Choose another checkpoint."
        case torch.OutOfMemoryError():
            return (
                "The graphics card has too little memory, even for a smaller batch.",
                "Close what else uses the card, or choose a method that learns less, such as a LoRA.",
            )
        case LossNotANumber() | WeightsNotNumbers():
            return f"The training diverged: {error}.", "Start it again with a lower learning rate."
        case OptimizerMissing():
            return f"The training cannot start: {error}.", "Install it, or choose the optimizer adamw."
        case _:
            return (
                f"The training failed: {type(error).__name__}: {error}.",
                "Start it again; report it if it fails again.",
            )


def _words_of_files(error: OSError) -> tuple[str, str]:
    match error:
        case UnidentifiedImageError():
            return f"A training photo cannot be read: {error}.", "Remove the photo and add it again."
        case FileNotFoundError():
            name = Path(str(error.filename)).name
            return f"A file is gone: {name}.", "Add the photo again, and start the training again."
        case BlockingIOError():
            return f"The training is running already: {error}.", "Wait for it, or cancel it."
        case _ if error.errno in NO_ROOM:
            return "There is no room left on the disk.", "Free some space and start the training again."
        case _:
            return f"A file cannot be read or written: {error}.", "Check the data folder."

"""From what went wrong in the child to words for a person."""

from __future__ import annotations

import errno
import traceback

import torch
from PIL import UnidentifiedImageError

from training.embedded.learning import LossNotANumber
from training.embedded.messages import FailedMessage
from webui_engine.errors import EngineError, MissingVocabulary

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def explain(error: Exception) -> FailedMessage:
    """The reason and the remedy. The traceback goes to standard error, which the parent keeps."""
    traceback.print_exception(error)
    reason, remedy = _words(error)
    return FailedMessage(reason=reason, remedy=remedy)


def _words(error: Exception) -> tuple[str, str]:
    match error:
        case MissingVocabulary():
            return f"The checkpoint {error.path.name} has no tokenizer.", str(error)
        case EngineError():
            return f"The checkpoint cannot be used: {error}.", "Choose another checkpoint."
        case torch.OutOfMemoryError():
            return (
                "The graphics card has too little memory.",
                "Use a smaller batch, or close what else uses the card.",
            )
        case LossNotANumber():
            return f"The training diverged: {error}.", "Start it again with a lower learning rate."
        case UnidentifiedImageError():
            return f"A training photo cannot be read: {error}.", "Remove the photo and add it again."
        case BlockingIOError():
            return f"The training is running already: {error}.", "Wait for it, or cancel it."
        case OSError() if error.errno in NO_ROOM:
            return "There is no room left on the disk.", "Free some space and start the training again."
        case OSError():
            return f"A file cannot be read or written: {error}.", "Check the data folder."
        case _:
            return (
                f"The training failed: {type(error).__name__}: {error}.",
                "Start it again; report it if it fails again.",
            )

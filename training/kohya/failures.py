"""From how sd-scripts ended to words for a person: its exit status, and the end of what it wrote."""

from __future__ import annotations

import re

from training.errors import TrainingFailed

SIGNALS_FROM = 128

_KNOWN = (
    (
        r"OutOfMemoryError|out of memory",
        "The graphics card has too little memory.",
        "Close what else uses the card, or use a smaller batch or rank.",
    ),
    (
        (
            r"No space left on device|File too large|StorageFull|Disk quota exceeded|PytorchStreamWriter failed"
            r"|unexpected pos \d+ vs"
        ),
        "There is no room left on the disk.",
        "Free some space and start the training again.",
    ),
    (
        r"No module named '([\w.]+)'",
        "The Python of sd-scripts lacks the package {0}.",
        "Install the requirements of sd-scripts for it, or set SAJIN_KOHYA_PYTHON to the Python that has them.",
    ),
    (
        r"unrecognized arguments: (.+)",
        "This version of sd-scripts does not know {0}.",
        "Install sd-scripts 0.9 or newer.",
    ),
    (
        r"in _load_tokenizer|Can't load tokenizer|huggingface\.co|LocalEntryNotFoundError|OfflineModeIsEnabled",
        "sd-scripts could not get CLIP's tokenizer, which it fetches once.",
        "Run sd-scripts once on this machine with access to the internet.",
    ),
    (
        r"NaN detected in latents",
        "The autoencoder of the checkpoint makes no numbers of a photo.",
        "Choose another checkpoint.",
    ),
    (
        r"Error\(s\) in loading state_dict|size mismatch for|KeyError: '(?:cond_stage_model|conditioner|model)\.",
        "The checkpoint is not of the family that its header says.",
        "Choose another checkpoint.",
    ),
    (
        r"cannot identify image|UnidentifiedImageError|image file is truncated",
        "A training photo cannot be read.",
        "Remove the photo and add it again.",
    ),
    (
        r"FileNotFoundError.*\.(?:png|txt)\b",
        "Training photos disappeared while they were learned.",
        "Start the training again.",
    ),
)


def explain(status: int, log: str) -> TrainingFailed:
    """The reason and the remedy; log, its last lines, goes along as details."""
    for pattern, reason, remedy in _KNOWN:
        found = re.search(pattern, log)
        if found:
            return TrainingFailed(reason.format(*(found.groups() or ("",))), remedy, log)
    if status > SIGNALS_FROM:
        return TrainingFailed(
            f"sd-scripts was ended by signal {status - SIGNALS_FROM}.",
            "Start the training again. If the machine was short of memory, close other programs.",
            log,
        )
    lines = log.strip().splitlines()
    last = f": {lines[-1].strip()}" if lines else ""
    return TrainingFailed(
        f"sd-scripts ended with status {status}{last}.", "Start it again; report it if it fails again.", log
    )

"""What sd-scripts writes while it runs, line by line (train_network.py, library/train_util.py; tqdm's bars).

Labels are English, a slash, then Japanese: a number is what follows the last ": ". Bars are redrawn with carriage
returns on standard error.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Images:
    """How many pictures an epoch has, repeats and not regularisation pictures included."""

    count: int


@dataclass(frozen=True, slots=True)
class StepsPerEpoch:
    """How many steps an epoch has."""

    count: int


@dataclass(frozen=True, slots=True)
class TotalSteps:
    """The last step's number."""

    count: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch begins; the first is 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar has moved. name: "steps" for the learning, "" for most others.

    seconds_left: None while unknown. loss: mean over the last epoch's steps, None while none is told; nan and inf are
    told as they are.
    """

    name: str
    done: int
    of: int
    seconds_left: float | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Caching:
    """The autoencoder begins to look at the photos."""


@dataclass(frozen=True, slots=True)
class Saving:
    """A file is being written; it is whole when the next line comes."""

    path: str


@dataclass(frozen=True, slots=True)
class NoData:
    """No picture was found; the process will end with status 0."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """Anything else that shows that it goes on."""


Event = Images | StepsPerEpoch | TotalSteps | Epoch | Bar | Caching | Saving | NoData | Milestone

_BAR = re.compile(
    r"(?:(?P<name>[^|]*?):\s+)?\s*\d+%\|[^|]*\|\s*(?P<done>\d+)/(?P<of>\d+) \[(?P<spent>[\d:]+)<(?P<left>[\d:?]+),"
)
_LOSS = re.compile(r"\bavr_loss=([^,\]\s]+)")
_EPOCH = re.compile(r"epoch (\d+)/\d+$")
_COUNTS: dict[str, type[Images | StepsPerEpoch | TotalSteps]] = {
    "num train images * repeats": Images,
    "num batches per epoch": StepsPerEpoch,
    "total optimization steps": TotalSteps,
}
_COUNTED = re.compile(f"({'|'.join(map(re.escape, _COUNTS))}) /.*: (\\d+)$")
_MILESTONES = (
    "Loading dataset config", "prepare images", "preparing accelerator", "loading model", "load StableDiffusion",
    "load Diffusers", "UNet2DConditionModel", "import network module", "create LoRA", "prepare optimizer",
    "resume training from", "running training", "saving state", "model saved",
)  # fmt: skip


def read_line(line: str) -> Event | None:
    """The event that a line tells of, None for the many that tell of nothing we need."""
    text = line.strip()
    bar = _BAR.match(text)
    if bar:
        return _bar(bar, text)
    counted = _COUNTED.match(text)
    if counted:
        return _COUNTS[counted.group(1)](int(counted.group(2)))
    epoch = _EPOCH.match(text)
    if epoch:
        return Epoch(int(epoch.group(1)))
    if text.startswith("saving checkpoint: "):
        return Saving(text.removeprefix("saving checkpoint: "))
    if text.startswith("caching latents"):
        return Caching()
    if text.startswith("No data found"):
        return NoData()
    return Milestone() if text.startswith(_MILESTONES) else None


def _bar(bar: re.Match[str], text: str) -> Bar:
    loss = _LOSS.search(text)
    return Bar(
        name=bar["name"] or "",
        done=int(bar["done"]),
        of=int(bar["of"]),
        seconds_left=_seconds(bar["left"]),
        loss=_number(loss.group(1)) if loss else None,
    )


def _seconds(spelled: str) -> float | None:
    """Seconds of tqdm's [hours:]minutes:seconds; None for its question mark."""
    if "?" in spelled:
        return None
    total = 0
    for part in spelled.split(":"):
        total = total * 60 + int(part)
    return float(total)


def _number(spelled: str) -> float:
    """The number; one that cannot be read is no number."""
    try:
        return float(spelled)
    except ValueError:
        return math.nan

"""Bringing one recommended model from the Hugging Face hub to its place, whole and checked, or not at all.

The hub's client does the talking (``HF_ENDPOINT``, ``HF_TOKEN`` and its timeouts hold). A file grows under a hidden
name beside its place, which holds the beginning of its SHA-256; it gets its own name when all of it has been checked.
A download that broke off goes on from there; the client's own ``hf_hub_download`` begins anew since its version 2.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import httpx2
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # exported, but not marked so

from command_line.errors import CannotStart, JobFailed
from command_line.model_table import RecommendedModel
from command_line.terminal import readable_size

SHA256 = re.compile(r"[0-9a-f]{64}")
GO_ON = "run the command again, it goes on from what has come"

Advance = Callable[[int, int | None], None]
"""Told the bytes that are there now, and how many there will be (None if unknown)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is to be downloaded. sha256: what it must have; size: bytes, None if nobody tells."""

    url: str
    sha256: str
    size: int | None


def is_there(model: RecommendedModel, place: Path) -> bool:
    """Whether the model lies at its place already.

    Raises CannotStart if another file lies there: of another size or, where its SHA-256 is known, of another content.
    """
    if not place.exists():
        return False
    size_fits = model.size is None or place.stat().st_size == model.size
    if size_fits and (model.sha256 is None or model.sha256 == sha256_of(place)):
        return True
    raise CannotStart(f"{place} is another file than {model.name}; move it away, then it can be downloaded")


def download(model: RecommendedModel, place: Path, advance: Advance) -> str:
    """Bring the model to its place, and return its SHA-256.

    Raises CannotStart when this machine stands in the way (no room, no right to write, a download of the same file that
    is under way), JobFailed when the hub does: it cannot be reached, does not have or give the file, breaks off, or
    gives another content than it should. Only a broken download leaves something behind, to go on from.
    """
    constants.HF_HUB_DISABLE_TELEMETRY = True  # the hub is asked for a file and told nothing of this machine
    with _told(model, place):
        offer = _offer(model)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.{offer.sha256[:12]}.part")
        with part.open("ab") as file:
            _require_alone(file, model)
            try:
                _require_room(file, offer, place.parent)
                _transfer(file, offer, advance)
            finally:
                if file.tell() == 0:
                    part.unlink()
        found = sha256_of(part)
        if found != offer.sha256:
            part.unlink()
            raise JobFailed(
                f"{model.name}: what came has the SHA-256 {found}, not {offer.sha256}; nothing of it was kept"
            )
        part.replace(place)
    return found


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, 64 hex digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _offer(model: RecommendedModel) -> Offer:
    """What the hub has under the model's name, if that is what the table means."""
    url = hf_hub_url(model.repo, model.file, revision=model.revision)
    told = get_hf_file_metadata(url)
    announced = told.etag if told.etag and SHA256.fullmatch(told.etag) else None
    for what, ours, theirs in (("SHA-256", model.sha256, announced), ("size", model.size, told.size)):
        if ours is not None and theirs is not None and ours != theirs:
            raise JobFailed(
                f"{model.name}: the hub offers a file of {what} {theirs}, the table names {ours}; not downloaded"
            )
    expected = model.sha256 or announced
    if expected is None:
        raise JobFailed(
            f"{model.name}: neither the table nor the hub tells a SHA-256 to check it by; not downloaded"
        )
    return Offer(url=url, sha256=expected, size=told.size or model.size)


def _require_alone(file: BinaryIO, model: RecommendedModel) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotStart(f"{model.name} is being downloaded to the same place by another process") from error


def _require_room(file: BinaryIO, offer: Offer, folder: Path) -> None:
    """Raise CannotStart unless what is still to come fits on the disk."""
    if offer.size is None:
        return
    wanted, free = offer.size - file.tell(), shutil.disk_usage(folder).free
    if wanted > free:
        raise CannotStart(
            f"{readable_size(wanted)} are to come and {readable_size(free)} are free in {folder}; make room there, or "
            "give another folder"
        )


def _transfer(file: BinaryIO, offer: Offer, advance: Advance) -> None:
    """Write what is missing to the end of the file."""
    if offer.size is not None and file.tell() > offer.size:
        file.truncate(0)
        file.seek(0)
    http_get(
        offer.url,
        file,
        resume_size=file.tell(),
        headers=build_hf_headers(),
        expected_size=offer.size,
        tqdm_class=cast(Any, partial(_Meter, advance)),
    )


class _Meter:
    """As much of a tqdm bar as the hub's client uses; it counts, and shows the count elsewhere."""

    def __init__(self, show: Advance, *, total: int | None = None, initial: int = 0, **_: Any) -> None:
        self._show, self._total, self._done = show, total, initial
        self.update(0)

    def update(self, count: int) -> None:
        """Count so many more bytes, fewer if negative."""
        self._done += count
        self._show(self._done, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""


@contextmanager
def _told(model: RecommendedModel, place: Path) -> Iterator[None]:
    """Turn what the hub's client and the disk raise into one line that says what to do; most specific first."""
    page = f"{constants.ENDPOINT}/{model.repo}"
    try:
        yield
    except GatedRepoError as error:
        line = (
            f"the hub gives it only to those who accepted its terms: accept them at {page}, then set HF_TOKEN"
        )
        raise JobFailed(f"{model.name}: {line}") from error
    except RepositoryNotFoundError as error:
        line = f"the hub has no {model.repo}, or does not show it without HF_TOKEN"
        raise JobFailed(f"{model.name}: {line}") from error
    except (RevisionNotFoundError, RemoteEntryNotFoundError) as error:
        line = f"{page} has no file {model.file} at {model.revision}"
        raise JobFailed(f"{model.name}: {line}") from error
    except HfHubHTTPError as error:
        line = f"the hub answered {error.response.status_code}; {GO_ON}"
        raise JobFailed(f"{model.name}: {line}") from error
    except (httpx2.HTTPError, OfflineModeIsEnabled) as error:
        line = (
            f"{constants.ENDPOINT} cannot be reached ({error}); what has come is kept, run the command again"
        )
        raise JobFailed(f"{model.name}: {line}") from error
    except OSError as error:
        raise _of_the_disk(error, model, place) from error


def _of_the_disk(error: OSError, model: RecommendedModel, place: Path) -> CannotStart | JobFailed:
    if error.errno == errno.ENOSPC:
        line = f"the disk of {place.parent} is full; make room, then {GO_ON}"
        return CannotStart(f"{model.name}: {line}")
    if error.errno is not None:
        return CannotStart(f"{model.name}: {place.parent} cannot be written: {error.strerror}")
    return JobFailed(f"{model.name}: the download broke off; {GO_ON}")

"""`sajin doctor`: looks at everything the studio needs and says what to do where something is wrong."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from command_line import preflight
from command_line.programs import api_address
from command_line.readiness import answers
from studio.errors import BrokenLibrary, TrainingUnavailable
from studio.id_photo.reading import read_documents
from studio.library.reading import read_library
from studio.settings import BUNDLED_CHECKPOINT, Settings
from studio.trainers import require_training

ROOM_GIGABYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. problem: what is wrong and what to do; "" when all is well."""

    what: str
    note: str = ""
    problem: str = ""


def run(settings: Settings) -> int:
    """Print all findings as a table. Exit status 0 when nothing is wrong, else 1."""
    findings = [finding for look in EXAMINATIONS for finding in look(settings)]
    table = Table("what", "", "", box=None, pad_edge=False)
    for finding in findings:
        mark = "[red]wrong[/]" if finding.problem else "[green]good[/]"
        table.add_row(finding.what, mark, finding.problem or finding.note)
    Console(highlight=False).print(table)
    return 1 if any(finding.problem for finding in findings) else 0


def _packages(settings: Settings) -> Iterator[Finding]:
    engine = preflight.ENGINE_PACKAGES if settings.uses_embedded_engine else ()
    names = (*preflight.STUDIO_PACKAGES, *engine)
    yield _finding("packages", preflight.missing_packages(names), f"Python {platform.python_version()}")


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_folder
    faults = list(preflight.unusable_folder(folder))
    yield _finding("data folder", faults, str(folder))
    if not faults:
        free = shutil.disk_usage(folder).free / 1e9
        problem = (
            f"only {free:.1f} GB are free; {ROOM_GIGABYTES} GB are advised" if free < ROOM_GIGABYTES else ""
        )
        yield Finding(what="disk", note=f"{free:.0f} GB free", problem=problem)


def _studio(settings: Settings) -> Iterator[Finding]:
    address = api_address(settings)
    if answers(f"{address}/healthz"):
        problem = (
            "" if answers(f"{address}/readyz") else f"runs, but is not ready; {address}/readyz tells why"
        )
        yield Finding(what="studio", note=f"runs at {address}", problem=problem)
    else:
        yield _finding(
            "ports", preflight.taken_ports(settings), "free; the studio does not run now (make run)"
        )


def _library(settings: Settings) -> Iterator[Finding]:
    try:
        library = read_library(settings.presets_dir, settings.prompts_dir)
        documents = read_documents(settings.presets_dir / "id")
    except BrokenLibrary as error:
        yield Finding(what="presets and prompts", problem=str(error))
    else:
        yield Finding(
            what="presets and prompts", note=f"{len(library.products)} presets, {len(documents)} ID documents"
        )


def _servers(settings: Settings) -> Iterator[Finding]:
    if settings.uses_embedded_engine:
        problem = "" if BUNDLED_CHECKPOINT.is_dir() else f"the bundled model is not at {BUNDLED_CHECKPOINT}"
        yield Finding(
            what="pictures", note="the embedded engine with its demonstration model", problem=problem
        )
        return
    for url in settings.webui_urls:
        yield _server(settings, url)


def _server(settings: Settings, url: str) -> Finding:
    from webui_client.client import WebuiClient
    from webui_client.errors import WebuiError

    try:
        found = WebuiClient(url, auth=settings.auth_pair).probe()
    except WebuiError as error:
        return Finding(what=f"WebUI {url}", problem=str(error))
    return Finding(what=f"WebUI {url}", note=f"{found.flavour} {found.version}")


def _learning(settings: Settings) -> Iterator[Finding]:
    wanted = dict.fromkeys([settings.trainer, *(["kohya"] if settings.kohya is not None else [])])
    for trainer in wanted:
        what = f"learning people ({trainer})"
        try:
            checkpoint, loras = require_training(settings, trainer)
        except TrainingUnavailable as error:
            yield Finding(what=what, problem=str(error))
        else:
            without = trainer == "easyphoto" and not _serves_easyphoto(settings)
            problem = "no server that answers has the extension EasyPhoto" if without else ""
            yield Finding(what=what, note=f"on {checkpoint.name}, LoRA files to {loras}", problem=problem)


def _serves_easyphoto(settings: Settings) -> bool:
    """Whether a server has EasyPhoto; the embedded engine, which need not run now, has."""
    from webui_client.client import WebuiClient
    from webui_client.errors import WebuiError

    def serves(url: str) -> bool:
        try:
            return WebuiClient(url, auth=settings.auth_pair).probe().easyphoto
        except WebuiError:
            return False

    return settings.uses_embedded_engine or any(map(serves, settings.webui_urls))


def _finding(what: str, faults: Iterable[str], note: str) -> Finding:
    return Finding(what=what, note=note, problem="; ".join(faults))


EXAMINATIONS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _packages,
    _data_folder,
    _studio,
    _library,
    _servers,
    _learning,
)

"""`sajin doctor`: looks at everything the studio needs and says what to do where something is wrong."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from command_line import preflight
from command_line.errors import CannotStart
from command_line.model_table import read_table
from command_line.programs import api_address
from command_line.readiness import answers
from studio.errors import BrokenLibrary, TrainingUnavailable
from studio.id_photo.reading import read_documents
from studio.library.reading import read_library
from studio.settings import BUNDLED_CHECKPOINT, Settings
from studio.trainers import require_training
from webui_client.capabilities import Capabilities

ROOM_GIGABYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. problem: what is wrong and what to do; "" when all is well. advice: what could be better."""

    what: str
    note: str = ""
    problem: str = ""
    advice: str = ""


def run(settings: Settings) -> int:
    """Print all findings as a table. Exit status 0 when nothing is wrong, else 1."""
    findings = [finding for look in EXAMINATIONS for finding in look(settings)]
    table = Table("what", "", "", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(finding.what, _mark(finding), escape(finding.problem or finding.advice or finding.note))
    Console(highlight=False).print(table)
    return 1 if any(finding.problem for finding in findings) else 0


def _mark(finding: Finding) -> str:
    if finding.problem:
        return "[red]wrong[/]"
    return "[yellow]could be better[/]" if finding.advice else "[green]good[/]"


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
    records = []
    for url in settings.server_urls:
        finding, record = _server(settings, url)
        yield finding
        if record is not None:
            records.append(record)
    yield from _products(settings, records)


def _server(settings: Settings, url: str) -> tuple[Finding, Capabilities | None]:
    from webui_client.client import WebuiClient
    from webui_client.errors import WebuiError

    if settings.uses_embedded_engine and not answers(f"{url}/internal/sajin"):
        return _stopped_engine(), None
    what = "embedded engine" if settings.uses_embedded_engine else f"WebUI {url}"
    try:
        found = WebuiClient(url, auth=settings.auth_pair).probe()
    except WebuiError as error:
        return Finding(what=what, problem=str(error)), None
    return Finding(what=what, note=f"{found.flavour} {found.version} with {found.checkpoint}"), found


def _stopped_engine() -> Finding:
    problem = "" if BUNDLED_CHECKPOINT.is_dir() else f"the bundled model is not at {BUNDLED_CHECKPOINT}"
    note = "does not run now; while it runs (make run), what its products lack is told here"
    return Finding(what="embedded engine", note=note, problem=problem)


def _products(settings: Settings, servers: Sequence[Capabilities]) -> Iterator[Finding]:
    """What which product lacks on which server: wrong where no server can make it, advice elsewhere."""
    from command_line.lacking import lacking, makeable

    try:
        library = read_library(settings.presets_dir, settings.prompts_dir)
        models = read_table(settings.models_table)
    except BrokenLibrary:
        return
    except CannotStart as error:
        yield Finding(what="recommended models", problem=str(error))
        return
    lacks = lacking(library, servers, models)
    able = makeable(library, servers, lacks)
    if servers:
        made = sum(1 for urls in able.values() if urls)
        elsewhere = {name for lack in lacks if lack.weight == "family" for name in lack.products}
        told = f"{made} of {len(able)} can be made"
        whole = all(able[name] for name in able.keys() - elsewhere)
        yield Finding(what="products", note=told, problem="" if whole else f"only {told}")
    for lack in lacks:
        told = f"{lack.server} {lack.sentence()}"
        if lack.weight == "stops" and not all(able[name] for name in lack.products):
            yield Finding(what="products", problem=told)
        else:
            yield Finding(what="products", advice=told)


def _learning(settings: Settings) -> Iterator[Finding]:
    wanted = dict.fromkeys([settings.trainer, *(["kohya"] if settings.kohya is not None else [])])
    for trainer in wanted:
        what = f"learning people ({trainer})"
        try:
            checkpoint, folders = require_training(settings, trainer)
        except TrainingUnavailable as error:
            yield Finding(what=what, problem=str(error))
        else:
            loras = ", ".join(map(str, folders))
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


def _lora_folders(settings: Settings) -> Iterator[Finding]:
    """What SAJIN_LORA_DIRS says, where it says something."""
    for url, folder in settings.lora_folder_by_server.items():
        faults = [] if folder.is_dir() else [f"{folder} is not there; LoRAs do not reach that server"]
        if url not in settings.server_urls:
            faults.append("SAJIN_WEBUI_URLS does not name that server")
        yield _finding(f"LoRA folder of {url}", faults, str(folder))


def _finding(what: str, faults: Iterable[str], note: str) -> Finding:
    return Finding(what=what, note=note, problem="; ".join(faults))


EXAMINATIONS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _packages,
    _data_folder,
    _studio,
    _library,
    _servers,
    _learning,
    _lora_folders,
)

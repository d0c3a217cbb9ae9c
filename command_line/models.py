"""`sajin models`: the recommended open models, and bringing them into the engine's models folder or a WebUI's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from command_line.errors import CannotStart
from command_line.model_table import RecommendedModel, read_table
from command_line.terminal import Terminal, readable_size
from studio.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where models go. webui: a WebUI's folder; None for the models folder of the embedded engine."""

    engine: Path
    webui: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder that places are below."""
        return self.webui or self.engine

    def place(self, model: RecommendedModel) -> Path | None:
        """Where the model goes; None if it is of no use there."""
        relative = model.webui if self.webui else model.engine
        return self.folder / relative if relative else None


def destination(settings: Settings, into: Path | None) -> Destination:
    """The engine's models folder, or the WebUI's folder into. Raises CannotStart if into is none."""
    engine = settings.models_folder
    if into is None:
        return Destination(engine=engine)
    folder = into.expanduser().absolute()
    if not (folder / "models").is_dir():
        raise CannotStart(f"{folder} is not the folder of a WebUI: there is no folder models in it")
    return Destination(engine=engine, webui=folder)


def run_list(settings: Settings, into: Path | None, *, as_json: bool) -> None:
    """Print all models of the table, and which of them lie at their places."""
    models, where = read_table(settings.models_table), destination(settings, into)
    if as_json:
        print(json.dumps({"folder": str(where.folder), "models": [_facts(model, where) for model in models]}))
        return
    console = Console(highlight=False)
    for model in models:
        state = {True: "[green]there[/]", False: "", None: "only for a WebUI"}[_is_present(model, where)]
        console.print(f"[bold]{model.name:<18}[/]{model.kind:<15}{_size(model):<17}{state}")
        console.print(
            f"    {model.what}\n    for {model.enables}\n    licence: {model.licence.name}", markup=False
        )
    console.print(f"sajin models get NAME brings one to {where.folder}", soft_wrap=True)


def run_get(settings: Settings, names: Sequence[str], into: Path | None, *, as_json: bool) -> None:
    """Bring the models called names to their places, one after the other; what is there already is checked.

    Raises CannotStart for an unknown name, a model of no use there, and what stands in the way on this machine,
    JobFailed for what the hub does not give.
    """
    table, where = read_table(settings.models_table), destination(settings, into)
    chosen = [(model, _place(model, where)) for model in (_named(name, table) for name in names)]
    terminal = Terminal()
    results = [_get(model, place, terminal) for model, place in chosen]
    for line in dict.fromkeys(line for model, place in chosen for line in _what_next(model, place, where)):
        terminal.say(line)
    if as_json:
        print(json.dumps({"folder": str(where.folder), "models": results}))


def _named(name: str, table: Sequence[RecommendedModel]) -> RecommendedModel:
    for model in table:
        if model.name == name:
            return model
    raise CannotStart(
        f"there is no model {name} in the table; there are: {', '.join(one.name for one in table)}"
    )


def _place(model: RecommendedModel, where: Destination) -> Path:
    place = where.place(model)
    if place is not None:
        return place
    if where.webui is None:
        raise CannotStart(
            f"the embedded engine cannot use {model.name}; give the folder of a WebUI: "
            f"sajin models get {model.name} --into FOLDER"
        )
    raise CannotStart(f"{model.name} is of no use to a WebUI")


def _get(model: RecommendedModel, place: Path, terminal: Terminal) -> dict[str, object]:
    from command_line.model_download import download, is_there, sha256_of

    terminal.say(f"{model.name}: {model.what} ({_size(model)}), for {model.enables}")
    terminal.say(f"  licence: {model.licence.name}; {model.licence.terms} ({model.licence.url})")
    if is_there(model, place):
        terminal.say(f"  is at {place} already")
        state, sha256 = "present", model.sha256 or sha256_of(place)
    else:
        with terminal.transfer(model.name) as advance:
            sha256 = download(model, place, advance)
        terminal.say(f"  is at {place} now, checked by its SHA-256")
        state = "downloaded"
    return {
        "name": model.name,
        "path": str(place),
        "state": state,
        "bytes": place.stat().st_size,
        "sha256": sha256,
        "licence": model.licence.name,
    }


def _what_next(model: RecommendedModel, place: Path, where: Destination) -> list[str]:
    """What a person has to do for the model to be used."""
    if where.webui is not None:
        return ["Restart the WebUI, or refresh its lists, so that it finds the files."]
    lines = []
    if model.kind == "checkpoint":
        lines.append(f"To learn people on {model.name} and draw with it: SAJIN_CHECKPOINT={place}")
    if model.engine_package is not None:
        lines.append(
            f"The embedded engine uses {model.name} where {model.engine_package} is installed, from its next start."
        )
    return lines


def _facts(model: RecommendedModel, where: Destination) -> dict[str, object]:
    place = where.place(model)
    told = model.model_dump(
        include={"name", "what", "kind", "repo", "revision", "file", "size", "sha256", "enables"}
    )
    return {
        **told,
        "licence": model.licence.model_dump(),
        "path": str(place) if place else None,
        "present": _is_present(model, where),
    }


def _is_present(model: RecommendedModel, where: Destination) -> bool | None:
    """Whether a file of its size lies at its place; None if it has none there."""
    place = where.place(model)
    if place is None:
        return None
    return place.is_file() and model.size in (None, place.stat().st_size)


def _size(model: RecommendedModel) -> str:
    return readable_size(model.size) if model.size else "size by the hub"

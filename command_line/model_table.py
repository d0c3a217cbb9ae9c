"""The table of recommended models: what each is, where it comes from, under which licence, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from command_line.errors import CannotStart


def _inside(place: str) -> str:
    """The place, if it cannot lead out of the folder it is meant for."""
    path = Path(place)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        raise ValueError("must be a folder and a file name, below the folder it is meant for")
    return place


Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Place = Annotated[str, AfterValidator(_inside)]
Kind = Literal["checkpoint", "ControlNet", "motion module", "IP-Adapter", "detector", "upscaler"]


class Entry(BaseModel):
    """A frozen part of the table that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Licence(Entry):
    """What a person is told before anything is downloaded. terms: the gist, in a few words."""

    name: Text
    terms: Text
    url: Annotated[str, StringConstraints(pattern=r"^https://")]


class Served(Entry):
    """Something presets ask servers for, in planning's words; of a ControlNet, a part of its name."""

    kind: Literal["controlnet model", "adetailer model", "motion module", "upscaler"]
    name: Text


class RecommendedModel(Entry):
    """One file of the hub.

    size: bytes; sha256: 64 hex digits; None where no public source vouches for them, so that the hub's own word is
    taken. engine, webui: where it goes, below a models folder of the embedded engine and below a WebUI's folder; None
    where it is of no use. engine_package: what the engine needs besides. family: of the checkpoints it fits, None for
    all. enables: what people get from it.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    what: Text
    kind: Kind
    repo: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Annotated[str, StringConstraints(pattern=r"^(main|[0-9a-f]{40})$")]
    file: Text
    size: Annotated[int, Field(gt=0)] | None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None
    licence: Licence
    enables: Text
    family: Literal["sd15"] | None = None
    serves: tuple[Served, ...] = ()
    engine: Place | None
    engine_package: Text | None = None
    webui: Place | None

    def serves_as(self, kind: str, names: Iterable[str]) -> bool:
        """Whether it is one of the names that a preset asks for; of a ControlNet, whether its name holds one."""
        fits = _holds if kind == "controlnet model" else _equals
        return any(one.kind == kind and fits(name, one.name) for one in self.serves for name in names)


def read_table(path: Path) -> tuple[RecommendedModel, ...]:
    """The models of a table file, in its order. Raises CannotStart that says what is wrong with it."""
    try:
        models = TypeAdapter(tuple[RecommendedModel, ...]).validate_python(
            yaml.safe_load(path.read_text(encoding="utf-8"))
        )
    except (OSError, yaml.YAMLError) as error:
        raise CannotStart(f"the table of models {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CannotStart(f"the table of models {path} is wrong at {place}: {first['msg']}") from error
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise CannotStart(f"the table of models {path} has two models called {name}")
    return models


def _holds(asked: str, ours: str) -> bool:
    return ours.casefold() in asked.casefold()


def _equals(asked: str, ours: str) -> bool:
    return asked.casefold() == ours.casefold()

"""Reading a YAML file of the library as a checked value: what is wrong says where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from studio.library.marked_yaml import BadYaml, Document, read_yaml
from studio.values import PresetProblem

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Generic[Read]):
    """What a file holds, and where its keys stand; for finding places of problems that no schema knows."""

    value: Read
    document: Document


def read_checked(file: Path, kind: TypeAdapter[Read]) -> Checked[Read] | list[PresetProblem]:
    """The file's content as kind, or everything that is wrong with it."""
    try:
        document = read_yaml(file.read_text(encoding="utf-8"), file.name)
        return Checked(value=kind.validate_python(document.data), document=document)
    except BadYaml as error:
        return [PresetProblem(file=file.name, line=error.line, key=error.key, reason=error.reason)]
    except UnicodeDecodeError:
        return [PresetProblem(file=file.name, line=1, key="", reason="is not UTF-8 text")]
    except ValidationError as error:
        return [
            PresetProblem(
                file=file.name,
                line=document.line(problem["loc"]),
                key=".".join(map(str, problem["loc"])),
                reason=problem["msg"].removeprefix("Value error, "),
            )
            for problem in error.errors()
        ]

"""Reading the documents of a folder: one YAML file each, every mistake told with file, line, key and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from studio.errors import BrokenLibrary
from studio.id_photo.documents import DocumentSpec, contradictions
from studio.library.marked_yaml import BadYaml, Document, read_yaml
from studio.library.reading import problem_at, read_document, reason_of
from studio.values import PresetProblem

HOME = "KR"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdDocument:
    """A document by its name, the file's without its ending."""

    name: str
    spec: DocumentSpec


def read_documents(folder: Path) -> Mapping[str, IdDocument]:
    """All documents by name, those of the studio's home country first.

    Raises BrokenLibrary with every problem of every file.
    """
    files: dict[str, Document] = {}
    problems: list[PresetProblem] = []
    for file in sorted(folder.glob("*.yaml")):
        problems += read_document(file, files)
    documents: dict[str, IdDocument] = {}
    for name, file_content in files.items():
        document, found = make_document(name, file_content)
        problems += found
        if document is not None:
            documents[name] = document
    if problems:
        raise BrokenLibrary(problems)
    return dict(sorted(documents.items(), key=lambda item: (item[1].spec.country != HOME, item[0])))


def check_document(text: str, name: str = "document") -> tuple[IdDocument | None, list[PresetProblem]]:
    """Read one document's text without keeping it."""
    try:
        document = read_yaml(text, f"{name}.yaml")
    except BadYaml as error:
        return None, [PresetProblem(file=f"{name}.yaml", line=error.line, key=error.key, reason=error.reason)]
    return make_document(name, document)


def make_document(name: str, document: Document) -> tuple[IdDocument | None, list[PresetProblem]]:
    """Check one document; None beside the problems when there are any."""
    try:
        spec = DocumentSpec.model_validate(document.data)
    except ValidationError as error:
        return None, [
            problem_at(document, entry["loc"], reason_of(entry, "document")) for entry in error.errors()
        ]
    problems = [problem_at(document, path, reason) for path, reason in contradictions(spec)]
    return (None, problems) if problems else (IdDocument(name=name, spec=spec), [])

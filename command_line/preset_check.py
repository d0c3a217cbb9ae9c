"""`sajin preset check`: whether preset files and ID documents hold together, with file, line, key and reason."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from studio.errors import BrokenLibrary
from studio.id_photo.reading import check_document, read_documents
from studio.library.reading import Library, read_library
from studio.settings import Settings
from studio.values import PresetProblem

DOCUMENTS = "id"


def run(settings: Settings, files: Sequence[Path]) -> int:
    """Check the library, and files against it; print every problem. Exit status 0 without any, else 1."""
    try:
        library = read_library(settings.presets_dir, settings.prompts_dir)
        documents = read_documents(settings.presets_dir / DOCUMENTS)
    except BrokenLibrary as error:
        return _report(error.problems)
    problems = [problem for file in files for problem in _check(file, library)]
    if not problems:
        print(
            f"{len(library.products)} presets and {len(documents)} ID documents in {settings.presets_dir} and "
            f"{len(files)} named files hold together"
        )
    return _report(problems)


def _check(file: Path, library: Library) -> list[PresetProblem]:
    """What is wrong in a file: an ID document in a folder named id, a preset anywhere else."""
    text = file.read_text(encoding="utf-8", errors="replace")
    is_document = file.resolve().parent.name == DOCUMENTS
    return check_document(text, file.stem)[1] if is_document else library.check(text, file.stem)[1]


def _report(problems: Sequence[PresetProblem]) -> int:
    for problem in problems:
        print(problem.sentence(), file=sys.stderr)
    return 1 if problems else 0

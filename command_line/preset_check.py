"""`sajin preset check`: whether preset files hold together, with file, line, key and reason."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from studio.errors import BrokenLibrary
from studio.library.reading import read_library
from studio.settings import Settings
from studio.values import PresetProblem


def run(settings: Settings, files: Sequence[Path]) -> int:
    """Check the library, and files against it; print every problem. Exit status 0 without any, else 1."""
    try:
        library = read_library(settings.presets_dir, settings.prompts_dir)
    except BrokenLibrary as error:
        return _report(error.problems)
    checks = [library.check(file.read_text(encoding="utf-8", errors="replace"), file.stem) for file in files]
    problems = [problem for _, found in checks for problem in found]
    if not problems:
        print(
            f"{len(library.products)} presets in {settings.presets_dir} and {len(files)} named files hold together"
        )
    return _report(problems)


def _report(problems: Sequence[PresetProblem]) -> int:
    for problem in problems:
        print(problem.sentence(), file=sys.stderr)
    return 1 if problems else 0

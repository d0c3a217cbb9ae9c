"""The prompt library: entries by name, wildcards, and turning a template into words.

Templates are those of dynamicprompts (``{a|b}``, ``__wildcard__``) with one variable of ours, ``{subject}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from dynamicprompts.commands import Command, SequenceCommand, VariantCommand, WildcardCommand, WrapCommand
from dynamicprompts.generators import RandomPromptGenerator
from dynamicprompts.parser.parse import parse
from dynamicprompts.wildcards import WildcardManager
from pydantic import Field, TypeAdapter
from pyparsing import ParseBaseException

from studio.library.checked import read_checked
from studio.library.product import Spec
from studio.values import PresetProblem

ENTRY = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)+")
SUBJECT = "{subject}"
OTHER_FILES = ("animals.yaml", "tones.yaml")
"""Files of the folder that hold no entries: they have readers of their own."""


class PromptEntry(Spec):
    """Words for a stage, and the words to stay away from."""

    prompt: Annotated[str, Field(min_length=1, max_length=4000)]
    negative_prompt: Annotated[str, Field(max_length=4000)] = ""


ENTRIES = TypeAdapter(dict[str, PromptEntry])


class BadTemplate(ValueError):
    """A template cannot be turned into words; str() says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLibrary:
    """Entries by "file/name", and the wildcard lists of the folder's "wildcards"."""

    entries: dict[str, PromptEntry]
    wildcards: WildcardManager

    def problem(self, template: str) -> str | None:
        """Why template cannot be used, or None."""
        try:
            missing = sorted(
                name for name in _wildcards(_parse(template)) if not self.wildcards.get_values(name)
            )
        except BadTemplate as error:
            return str(error)
        return f"there is no wildcard {', '.join(missing)}" if missing else None

    def words(self, template: str, subject: str, seed: int) -> str:
        """The template's words, its choices drawn by seed. Raises BadTemplate."""
        if reason := self.problem(template):
            raise BadTemplate(reason)
        filled = template.replace(SUBJECT, subject).strip()
        if not filled:
            return ""
        drawn: str = RandomPromptGenerator(wildcard_manager=self.wildcards).generate(filled, 1, seeds=[seed])[
            0
        ]
        return drawn


def is_entry(text: str) -> bool:
    """Whether text names an entry ("portrait/studio") instead of being words itself."""
    return ENTRY.fullmatch(text) is not None


def read_prompts(folder: Path) -> tuple[PromptLibrary, list[PresetProblem]]:
    """Read the entries of folder's YAML files, and wildcards; what is wrong comes beside what could be read."""
    lists = folder / "wildcards"
    library = PromptLibrary(entries={}, wildcards=WildcardManager(lists if lists.is_dir() else None))
    problems: list[PresetProblem] = []
    for file in sorted(set(folder.glob("*.yaml")) - {folder / name for name in OTHER_FILES}):
        problems += _read_file(file, library)
    return library, problems


def _read_file(file: Path, library: PromptLibrary) -> list[PresetProblem]:
    read = read_checked(file, ENTRIES)
    if isinstance(read, list):
        return read
    entries, document = read.value, read.document
    library.entries.update({f"{file.stem}/{name}": entry for name, entry in entries.items()})
    return [
        PresetProblem(file=file.name, line=document.line((name, key)), key=f"{name}.{key}", reason=reason)
        for name, entry in entries.items()
        for key, text in (("prompt", entry.prompt), ("negative_prompt", entry.negative_prompt))
        if (reason := library.problem(text))
    ]


def _parse(template: str) -> Command:
    try:
        return parse(template.replace(SUBJECT, "subject") or " ")
    except ParseBaseException as error:
        raise BadTemplate(f"cannot be read from {template[error.loc :][:40]!r} on") from error


def _wildcards(command: Command) -> set[str]:
    if isinstance(command, WildcardCommand):
        return _wildcards(command.wildcard) if isinstance(command.wildcard, Command) else {command.wildcard}
    if isinstance(command, SequenceCommand):
        return set().union(*map(_wildcards, command.tokens))
    if isinstance(command, VariantCommand):
        return set().union(*(_wildcards(option.value) for option in command.variants))
    if isinstance(command, WrapCommand):
        return _wildcards(command.wrapper) | _wildcards(command.inner)
    return set()

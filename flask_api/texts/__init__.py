"""The sentences of the API in the caller's language."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("en", "ko")


class Texts:
    """All sentences of one language, looked up by dotted key."""

    def __init__(self, language: str, tree: Mapping[str, Any]) -> None:
        self.language = language
        self._tree = tree

    def find(self, *path: str) -> str | None:
        """The text at a path of keys, None if there is none."""
        branch: Any = self._tree
        for key in path:
            branch = branch.get(key) if isinstance(branch, Mapping) else None
        return branch if isinstance(branch, str) else None

    def say(self, *path: str, **data: object) -> str:
        """The sentence at path, with data filled in; the "unknown" one beside it if its last key is not known.

        Raises KeyError when neither is there or data lacks a field: a fault of ours, which the tests look for.
        """
        text = self.find(*path) or self.find(*path[:-1], "unknown")
        if text is None:
            raise KeyError(".".join(path))
        return text.format(**data)


@functools.cache
def texts_in(language: str) -> Texts:
    """The sentences of a language of LANGUAGES."""
    source = Path(__file__).with_name(f"{language}.yaml")
    return Texts(language, yaml.safe_load(source.read_text(encoding="utf-8")))

"""YAML read as plain values together with the line of every key, so that a problem can be shown where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
MAX_CHARACTERS = 256_000
MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML mapping. lines: from 1, by the path of keys and list positions that leads there."""

    file: str
    data: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Sequence[str | int]) -> int:
        """The line of path, or of its nearest ancestor that stands in this file."""
        known = tuple(path)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)


class BadYaml(ValueError):
    """The text is no acceptable YAML mapping. key: where, "" for the whole text."""

    def __init__(self, line: int, key: str, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.key = key
        self.reason = reason


def read_yaml(text: str, file: str) -> Document:
    """Parse text as one mapping of YAML's plain types.

    Raises BadYaml for broken YAML, doubled keys, keys that are no text, aliases and merge keys (which could blow a
    small file up), a text of more than 256,000 characters, or anything but a mapping at the top.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadYaml(1, "", f"longer than {MAX_CHARACTERS} characters")
    try:
        _refuse_aliases(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise BadYaml(_line(error.problem_mark), "", f"not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadYaml(1, "", f"not YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise BadYaml(1, "", "must be a mapping of keys to values")
    lines: dict[Path, int] = {(): 1}
    data = _mapping(root, (), lines)
    return Document(file=file, data=data, lines=lines)


def _refuse_aliases(text: str) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise BadYaml(_line(event.start_mark), "", "aliases (*name) are not allowed")


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 1


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag == MERGE_TAG or not isinstance(key_node, yaml.ScalarNode):
            raise BadYaml(line, _dotted(path), "keys must be plain text")
        key = str(key_node.value)
        if key in values:
            raise BadYaml(line, _dotted((*path, key)), "stands here twice")
        lines[(*path, key)] = line
        values[key] = _value(value_node, (*path, key), lines)
    return values


def _value(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*path, position)] = item.start_mark.line + 1
        return [_value(item, (*path, position), lines) for position, item in enumerate(node.value)]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise BadYaml(
            node.start_mark.line + 1, _dotted(path), f"not a plain value: {node.value!r}"
        ) from error


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))

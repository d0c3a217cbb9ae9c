"""What docs/engine-differences.md lets the engine do otherwise than the recorded server; the only allow-list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.contract.engine_process import REPOSITORY

TEXT = (REPOSITORY / "docs" / "engine-differences.md").read_text(encoding="utf-8")
_NUMBERS = r"(?P<numbers>\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*)"
_DIFFERENT = re.compile(rf"^\| {_NUMBERS} \|[^|\n]*\|[^|\n]*\| (?P<status>\d{{3}}) \|", re.MULTILINE)
_NOT_SENT = re.compile(rf"^\| {_NUMBERS} \| (?P<why>[^|\n]+) \|$", re.MULTILINE)
_NOT_SERVED = re.compile(r"^\| (?P<prefixes>/\S+(?:, /\S+)*) \| [^|\n]+ \|$", re.MULTILINE)


def _each(numbers: str) -> Iterator[int]:
    for part in numbers.split(", "):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


DELIBERATE = {
    number: int(row["status"]) for row in _DIFFERENT.finditer(TEXT) for number in _each(row["numbers"])
}
"""Recording to the status that the engine answers with, where its answer is another one on purpose."""

NOT_SENT = {number: row["why"] for row in _NOT_SENT.finditer(TEXT) for number in _each(row["numbers"])}
"""Recording to the reason why it cannot be sent again."""

NOT_SERVED = tuple(prefix for row in _NOT_SERVED.finditer(TEXT) for prefix in row["prefixes"].split(", "))
"""What the paths of routes begin with that the engine has not got."""

r"""The text that A1111 writes into a picture (its ``parameters``), read and written exactly.

Grammar::

    infotext = [prompt "\n"] ["Negative prompt: " negative "\n"] settings
    settings = pair {", " pair}                  the last line; at least three pairs, else it is prompt text
    pair     = key ": " value | key              the key alone stands for a value equal to the key
    key      = a word character, then word characters, spaces, "-" or "/"
    value    = text without comma, newline or colon | a JSON string

Prompt and negative prompt may span lines. A prompt with a line that starts "Negative prompt:" cannot be read
back right; that is the format's own flaw. See the A1111 contract notes, core, section 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NEGATIVE_PREFIX = "Negative prompt:"
FEWEST_PAIRS = 3

_PAIR = re.compile(
    r'\s*(?P<key>\w[\w \-/]+):\s*(?P<value>"(?:\\.|[^\\"])+"|[^,]*)(?:,|$)'
    r"|(?:^|(?<=,))\s*(?P<alone>\w[\w \-/]*)(?:,|$)"
)
_SIZE = re.compile(r"(\d+)x(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Infotext:
    """One picture's generation parameters.

    settings: (key, value) pairs in the order they stand, values as plain unquoted text.
    """

    prompt: str = ""
    negative_prompt: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str | None:
        """Return the value of key (the last, if it stands twice), or None."""
        return dict(self.settings).get(key)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels from "Size", or None if it is missing or no size."""
        match = _SIZE.fullmatch(self.get("Size") or "")
        return (int(match[1]), int(match[2])) if match else None

    @property
    def lora_hashes(self) -> dict[str, str]:
        """The LoRAs that were really applied, name to hash; empty if none were."""
        return dict(read_pairs(self.get("Lora hashes") or ""))

    @property
    def controlnet_units(self) -> tuple[dict[str, str], ...]:
        """The pairs of each "ControlNet n" entry, in order. Their presence does not prove that the units
        ran.
        """
        keys = (key for key, _ in self.settings if re.fullmatch(r"ControlNet \d+", key))
        return tuple(dict(read_pairs(self.get(key) or "")) for key in keys)


def parse(text: str) -> Infotext:
    """Read an infotext. Text without a settings line is taken as prompt; nothing is ever refused."""
    *lines, last = text.strip().split("\n")
    if len(list(_written_pairs(last))) < FEWEST_PAIRS:
        lines, last = [*lines, last], ""
    prompt, negative = _split_prompts(lines)
    return Infotext(prompt=prompt, negative_prompt=negative, settings=tuple(read_pairs(last)))


def render(infotext: Infotext) -> str:
    """Write infotext as A1111 does."""
    negative = f"\n{NEGATIVE_PREFIX} {infotext.negative_prompt}" if infotext.negative_prompt else ""
    return f"{infotext.prompt}{negative}\n{render_pairs(infotext.settings)}".strip()


def compose(prompt: str, negative_prompt: str, pairs: Iterable[tuple[str, object]]) -> str:
    """Write an infotext from plain values: None is left out, everything else becomes its ``str``."""
    settings = tuple((key, str(value)) for key, value in pairs if value is not None)
    return render(Infotext(prompt=prompt, negative_prompt=negative_prompt, settings=settings))


def read_pairs(line: str) -> Iterator[tuple[str, str]]:
    """Yield the (key, unquoted value) pairs of one settings line, or of a value that holds such a line."""
    for match in _PAIR.finditer(line):
        if match["alone"] is not None:
            yield match["alone"], match["alone"]
        else:
            yield match["key"], unquote(match["value"])


def render_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Write pairs as one settings line; a value equal to its key is written as the key alone."""
    return ", ".join(key if key == value else f"{key}: {quote(value)}" for key, value in pairs)


def quote(value: str) -> str:
    """Return value as it stands in a settings line: as a JSON string if it could not be read back bare.

    A1111 quotes for comma, newline and colon only. A value that starts with a quotation mark or has blank
    ends would be read back changed, by A1111 too, so it is quoted as well; A1111 itself never writes one of
    these.
    """
    bare = not any(mark in value for mark in ",:\n") and not value.startswith('"') and value == value.strip()
    return value if bare else json.dumps(value, ensure_ascii=False)


def unquote(value: str) -> str:
    """Undo :func:`quote`; text that is no JSON string is returned as it is."""
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return value
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return str(decoded)


def _written_pairs(line: str) -> Iterator[re.Match[str]]:
    return (match for match in _PAIR.finditer(line) if match["key"] is not None)


def _split_prompts(lines: list[str]) -> tuple[str, str]:
    for index, line in enumerate(lines):
        if line.lstrip().startswith(NEGATIVE_PREFIX):
            first = line.lstrip().removeprefix(NEGATIVE_PREFIX).removeprefix(" ")
            return "\n".join(lines[:index]), "\n".join([first, *lines[index + 1 :]])
    return "\n".join(lines), ""

"""Names that senders give to their files: shown to people, never used as a path."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 100
NAMELESS = "photo"
_UNWANTED = frozenset("\"'`<>|*?\x7f")


def display_name(filename: str) -> str:
    """filename without folders, control and direction signs, quotes and wildcards, at most 100 characters.

    Letters of any script and emoji stay. The ending is kept when a long name is shortened. Never empty.
    """
    last = filename.replace("\\", "/").replace("\0", "").rsplit("/", 1)[-1]
    kept = "".join(sign for sign in unicodedata.normalize("NFC", last) if _shows(sign))
    plain = " ".join(kept.split()).strip(". ")
    return _shortened(plain) or NAMELESS


def _shows(sign: str) -> bool:
    if sign in _UNWANTED:
        return False
    return sign in "\u200d\ufe0f" or unicodedata.category(sign) not in {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }


def _shortened(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 8:
        return name[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(ending) - 2]}….{ending}"[:LONGEST_NAME]

"""A rare instance token made from a name, so that two people of one noun do not share it."""

from __future__ import annotations

import unicodedata

SHIFT = 13
LONGEST = 8
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def token_of_name(name: str, shift: int = SHIFT) -> str:
    """The name under a Caesar cipher: its letters moved on by shift in the Latin alphabet, eight at most.

    Letters of other scripts count by their code points. "" for a name without letters. A cipher hides a name from a
    glance, not from somebody who wants to know it.
    """
    plain = unicodedata.normalize("NFKD", name).lower()
    letters = [sign for sign in plain if sign.isalpha()][:LONGEST]
    return "".join(_LETTERS[(_place(letter) + shift) % len(_LETTERS)] for letter in letters)


def _place(letter: str) -> int:
    place = _LETTERS.find(letter)
    return ord(letter) if place < 0 else place

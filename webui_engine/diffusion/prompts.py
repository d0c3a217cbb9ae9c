"""A1111's prompt syntax as values: network tags, AND, attention weights, BREAK. Prompt editing is in prompt_editing."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROUND = 1.1
SQUARE = 1 / 1.1

_NETWORK = re.compile(r"<(\w+):([^<>]*)>")
_AND = re.compile(r"\bAND\b")
_AND_WEIGHT = re.compile(r"^(.*?)(?:\s*:\s*([-+]?(?:\d+\.?\d*|\.\d+)))?\s*$", re.DOTALL)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_TOKEN = re.compile(
    r"""
    \\[()\[\]\\]                              # an escaped bracket or backslash
    | \\
    | \( | \[
    | :\s*(?P<weight>[+-]?[.\d]+)\s*\)        # the weight that ends a round bracket
    | \) | \]
    | [^\\()\[\]:]+
    | :
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class NetworkTag:
    """``<lora:name:te:unet>``: kind is "lora" or "lyco"; the weights multiply the network's effect."""

    kind: str
    name: str
    text_encoder: float
    unet: float


@dataclass(frozen=True, slots=True)
class Weighted:
    """A stretch of text and how strongly it counts; 1 is plain."""

    text: str
    weight: float


def extract_networks(prompt: str) -> tuple[str, tuple[NetworkTag, ...]]:
    """prompt without its network tags, and the tags that name LoRAs, in order."""
    tags = tuple(
        _network_tag(found[1], found[2])
        for found in _NETWORK.finditer(prompt)
        if found[1] in {"lora", "lyco"}
    )
    return _NETWORK.sub("", prompt), tags


def _network_tag(kind: str, arguments: str) -> NetworkTag:
    parts = arguments.split(":")
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    positional = [part for part in parts if "=" not in part]
    encoder = _number(named.get("te", positional[1] if len(positional) > 1 else None), 1.0)
    unet = _number(named.get("unet", positional[2] if len(positional) > 2 else None), encoder)
    return NetworkTag(kind, positional[0].strip() if positional else "", encoder, unet)


def _number(text: str | None, default: float) -> float:
    try:
        return default if text is None else float(text)
    except ValueError:
        return default


def split_composition(prompt: str) -> tuple[Weighted, ...]:
    """The parts of a prompt joined by ``AND``, each with its weight ``text :1.2`` (1 if it has none)."""
    parts = _AND.split(prompt)
    if len(parts) == 1:
        return (Weighted(prompt, 1.0),)
    return tuple(_composed_part(part) for part in parts)


def _composed_part(part: str) -> Weighted:
    found = _AND_WEIGHT.match(part)
    if found is None:
        return Weighted(part, 1.0)
    return Weighted(found[1], float(found[2]) if found[2] else 1.0)


def parse_attention(prompt: str) -> tuple[tuple[Weighted, ...], ...]:
    """The weighted stretches of a prompt, in the groups that ``BREAK`` makes.

    ``(a)`` is 1.1 times, ``[a]`` 1/1.1, ``(a:1.3)`` 1.3 times, and nesting multiplies; a backslash takes a bracket
    literally; an unclosed bracket counts to the end.
    """
    stretches = _Brackets().read(prompt)
    groups: list[list[Weighted]] = [[]]
    for stretch in stretches:
        first, *others = _BREAK.split(stretch.text)
        groups[-1].append(Weighted(first, stretch.weight))
        groups.extend([Weighted(text, stretch.weight)] for text in others)
    return tuple(_joined(group) for group in groups)


def plain_text(prompt: str) -> tuple[tuple[Weighted, ...], ...]:
    """The prompt taken literally, for the emphasis mode "None"."""
    return ((Weighted(prompt, 1.0),),)


def _joined(stretches: list[Weighted]) -> tuple[Weighted, ...]:
    joined: list[Weighted] = []
    for stretch in stretches:
        if not stretch.text:
            continue
        if joined and joined[-1].weight == stretch.weight:
            joined[-1] = Weighted(joined[-1].text + stretch.text, stretch.weight)
        else:
            joined.append(stretch)
    return tuple(joined)


class _Brackets:
    """Reads brackets from left to right; closing one multiplies everything since it was opened."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._weights: list[float] = []
        self._round: list[int] = []
        self._square: list[int] = []

    def read(self, prompt: str) -> list[Weighted]:
        for found in _TOKEN.finditer(prompt):
            self._take(found[0], found["weight"])
        for start in self._round:
            self._multiply(start, ROUND)
        for start in self._square:
            self._multiply(start, SQUARE)
        return [Weighted(text, weight) for text, weight in zip(self._texts, self._weights, strict=True)]

    def _take(self, token: str, weight: str | None) -> None:
        if token == "(":
            self._round.append(len(self._texts))
        elif token == "[":
            self._square.append(len(self._texts))
        elif weight is not None and self._round:
            self._multiply(self._round.pop(), _number(weight, 1.0))
        elif token == ")" and self._round:
            self._multiply(self._round.pop(), ROUND)
        elif token == "]" and self._square:
            self._multiply(self._square.pop(), SQUARE)
        else:
            self._texts.append(token[1:] if len(token) == 2 and token[0] == "\\" else token)
            self._weights.append(1.0)

    def _multiply(self, start: int, factor: float) -> None:
        for index in range(start, len(self._weights)):
            self._weights[index] *= factor

"""Prompts that change while a picture is sampled: ``[a:b:N]``, ``[b:N]``, ``[a::N]`` and ``[a|b]``.

A1111's notes: N with a dot is a share of the steps, without one a step; ``[a|b]`` takes turns at every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

_OPENING, _CLOSING = "([", ")]"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """text holds for the steps up to and including last (from 1)."""

    last: int
    text: str


@dataclass(frozen=True, slots=True)
class _Clock:
    step: int
    steps: int
    earlier_steps: int

    def passed(self, when: str) -> bool:
        value = float(when)
        is_second_pass = self.earlier_steps > 0
        if "." in when:
            value = (value - (1 if is_second_pass else 0)) * self.steps
        else:
            value -= self.earlier_steps
        return self.step > min(self.steps, int(value))


def schedule_prompt(prompt: str, steps: int, *, earlier_steps: int = 0) -> tuple[Scheduled, ...]:
    """What the prompt reads at which of the steps; one entry if it does not change.

    earlier_steps: the steps of the first pass when this is the second pass of hires fix, whose step numbers count on
    and whose shares run from 1 to 2.
    """
    if "[" not in prompt or steps < 1:
        return (Scheduled(steps, prompt),)
    texts = [(step, _at(prompt, _Clock(step, steps, earlier_steps))) for step in range(1, steps + 1)]
    return tuple(
        Scheduled([step for step, _ in group][-1], text)
        for text, group in groupby(texts, key=lambda pair: pair[1])
    )


def _at(text: str, clock: _Clock) -> str:
    read: list[str] = []
    place = 0
    while place < len(text):
        end = _closing(text, place) if text[place] == "[" else None
        if end is not None:
            read.append(_bracket_at(text[place + 1 : end], clock))
            place = end + 1
        else:
            width = 2 if text[place] == "\\" else 1
            read.append(text[place : place + width])
            place += width
    return "".join(read)


def _bracket_at(inner: str, clock: _Clock) -> str:
    turns = _split(inner, "|")
    if len(turns) > 1:
        return _at(turns[(clock.step - 1) % len(turns)], clock)
    parts = _split(inner, ":")
    if len(parts) in (2, 3) and _is_number(parts[-1]):
        before, after = ("", parts[0]) if len(parts) == 2 else (parts[0], parts[1])
        return _at(after if clock.passed(parts[-1].strip()) else before, clock)
    return f"[{_at(inner, clock)}]"


def _closing(text: str, start: int) -> int | None:
    depth = 0
    for place in _unescaped(text, start):
        depth += (text[place] == "[") - (text[place] == "]")
        if depth == 0:
            return place
    return None


def _split(text: str, separator: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place in _unescaped(text, 0):
        depth += (text[place] in _OPENING) - (text[place] in _CLOSING)
        if depth == 0 and text[place] == separator:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _unescaped(text: str, start: int) -> list[int]:
    places, place = [], start
    while place < len(text):
        if text[place] != "\\":
            places.append(place)
            place += 1
        else:
            place += 2
    return places


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""The texts of the pages: one YAML file a language, the same keys in all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = ("ko", "en")


@dataclass(frozen=True, eq=False)
class Words:
    """All texts in one language, by dotted key such as "studio.who.title"."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of key with {names} filled in. Raises KeyError for an unknown key."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def counted(self, key: str, count: int, **values: object) -> str:
        """Return the text key.one or key.other, as the language needs for count."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", count=count, **values)

    def known(self, key: str, otherwise: str) -> str:
        """Return the text of key, or otherwise for names that presets may add freely."""
        return self.texts.get(key, otherwise)

    def under(self, prefix: str) -> dict[str, str]:
        """Return the texts below prefix, by the rest of their key."""
        start = f"{prefix}."
        return {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}

    def duration(self, seconds: float | None) -> str:
        """Return a rough time in words, or nothing when it is not known."""
        if seconds is None:
            return ""
        if seconds < 90:
            return self("duration.seconds", count=max(1, round(seconds)))
        return self("duration.minutes", count=round(seconds / 60))

    def moment(self, iso: str | None) -> str:
        """Return a time of the API (ISO 8601) in the clock of this machine, or nothing."""
        if not iso:
            return ""
        return self("format.moment", at=datetime.fromisoformat(iso).astimezone())

    def size(self, count: int) -> str:
        """Return a number of bytes in KB, or in MB from a thousand of these on."""
        kilobytes = max(1, -(-count // 1000))
        if kilobytes < 1000:
            return self("format.kilobytes", count=kilobytes)
        return self("format.megabytes", count=f"{kilobytes / 1000:.1f}")

    def percent(self, fraction: float | None) -> str:
        """Return a fraction 0..1 as a percentage."""
        return self("format.percent", count=round(100 * (fraction or 0.0)))


def flattened(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the leaves of nested texts by dotted key."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            leaves |= flattened(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = str(value)
    return leaves


@cache
def words_in(language: str) -> Words:
    """Read the texts of a language in LANGUAGES."""
    tree = yaml.safe_load((TEXTS / f"{language}.yaml").read_text(encoding="utf-8"))
    return Words(language, flattened(tree))


def language_for(header: str | None) -> str:
    """Return the language of LANGUAGES that an Accept-Language header prefers; English if none."""
    choices = [choice.split(";q=") for choice in (header or "").replace(" ", "").split(",") if choice]
    ranked = sorted(choices, key=lambda choice: -quality(choice))
    spoken = [choice[0].lower().split("-")[0] for choice in ranked if quality(choice) > 0]
    return next((language for language in spoken if language in LANGUAGES), "en")


def quality(choice: list[str]) -> float:
    """Return the weight of one choice of an Accept-Language header; what cannot be read weighs nothing."""
    try:
        return float(choice[1]) if len(choice) > 1 else 1.0
    except ValueError:
        return 0.0

"""Where a person is in the studio. It is written in the address, so that a reload or a sent link lands there."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

STEPS = ("who", "photos", "learn", "look", "portraits")
COUNTS = (1, 2, 4, 8, 16)
MOST_OPTIONS_CHARACTERS = 20_000


@dataclass(frozen=True)
class Place:
    """The person, look, settings, job and picture that the studio page shows, and its open step."""

    subject: str = ""
    step: str = ""
    preset: str = ""
    count: int = 2
    job: str = ""
    image: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def moved(self, **changes: Any) -> "Place":
        """Return this place with changes."""
        return replace(self, **changes)

    def with_option(self, stage: str, key: str, value: object) -> "Place":
        """Return this place with one setting changed, or back to the preset's own when value is None."""
        stages = {name: dict(values) for name, values in self.options.get("stages", {}).items()}
        top = {name: chosen for name, chosen in self.options.items() if name != "stages"}
        target = stages.setdefault(stage, {}) if stage else top
        target.pop(key, None)
        if value is not None:
            target[key] = value
        kept = {name: values for name, values in stages.items() if values}
        return replace(self, options=top | ({"stages": kept} if kept else {}))

    def option(self, stage: str, key: str) -> object:
        """Return the chosen value of a setting, or None where the preset's own holds."""
        chosen = self.options.get("stages", {}).get(stage, {}) if stage else self.options
        return chosen.get(key)

    def query(self) -> str:
        """Return the address part, beginning with a question mark."""
        fields = {name: getattr(self, name) for name in ("subject", "step", "preset", "job", "image")}
        if self.count != Place.count:
            fields["count"] = str(self.count)
        if self.options:
            fields["options"] = packed(self.options)
        return "?" + urlencode({name: value for name, value in fields.items() if value})


def place_in(query: Mapping[str, str]) -> Place:
    """Read a place from the query parameters of an address; what makes no sense is left out."""
    step = query.get("step", "")
    count = query.get("count", "")
    return Place(
        subject=query.get("subject", ""),
        step=step if step in STEPS else "",
        preset=query.get("preset", ""),
        count=int(count) if count in map(str, COUNTS) else Place.count,
        job=query.get("job", ""),
        image=query.get("image", ""),
        options=unpacked(query.get("options", "")),
    )


def packed(options: Mapping[str, Any]) -> str:
    """Return options as URL-safe text."""
    return base64.urlsafe_b64encode(json.dumps(options, ensure_ascii=False).encode()).decode().rstrip("=")


def unpacked(text: str) -> dict[str, Any]:
    """Return the options in a text of packed; anything else gives none."""
    if not text or len(text) > MOST_OPTIONS_CHARACTERS:
        return {}
    try:
        options = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return {}
    if not isinstance(options, dict):
        return {}
    stages = options.get("stages", {})
    sound = isinstance(stages, dict) and all(isinstance(values, dict) for values in stages.values())
    return options if sound else {name: value for name, value in options.items() if name != "stages"}

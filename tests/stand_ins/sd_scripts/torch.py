"""Stands in for the torch of sd-scripts' own Python, as far as it is asked about graphics cards."""

import json
from pathlib import Path

_BEHAVIOUR = Path(__file__).with_name("behaviour.json")


class cuda:  # noqa: N801 (a module in the real one)
    """The first card, as behaviour.json describes it under "gpu": [free, total] in bytes."""

    @staticmethod
    def is_available() -> bool:
        return "gpu" in _told()

    @staticmethod
    def mem_get_info() -> tuple[int, int]:
        free, total = _told()["gpu"]
        return free, total

    @staticmethod
    def is_bf16_supported() -> bool:
        return True


def _told() -> dict[str, list[int]]:
    told: dict[str, list[int]] = json.loads(_BEHAVIOUR.read_text("utf-8")) if _BEHAVIOUR.exists() else {}
    return told

"""Reading a script's positional arguments. A wrong count or type is an error, as in A1111."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from webui_engine.errors import BadValue


def exactly(script: str, arguments: Sequence[Any], count: int) -> Sequence[Any]:
    """The arguments; raises BadValue unless there are count of them."""
    if len(arguments) != count:
        raise BadValue("script_args", f"{len(arguments)} arguments", f'"{script}" takes {count}')
    return arguments


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number in a range, both ends in it; raises BadValue."""
    return int(number(name, value, least, most))


def number(name: str, value: Any, least: float, most: float) -> float:
    """A number in a range, both ends in it; raises BadValue."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadValue(f"script_args {name}", value, "a number was expected")
    if not least <= value <= most:
        raise BadValue(f"script_args {name}", value, f"{least:g} to {most:g} were expected")
    return float(value)

"""Options of the server that a request overrides, put back when the server itself does not.

A1111 forgets to restore an overridden option that was never saved to its configuration file, so that a clip
skip or a file format of one request sticks to the next ones (A1111 contract notes, "options"). Writing the
old value back by POST saves it, after which the server restores it by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from webui_client.errors import WebuiError
from webui_client.probe import core_options
from webui_client.transport import Transport

RESTORED_BY_THE_SERVER = ("sd_model_checkpoint",)


@contextmanager
def kept_options(transport: Transport, overrides: Mapping[str, Any]) -> Iterator[None]:
    """Run the body, then write back every overridden option that kept its overridden value."""
    keys = [key for key in overrides if key not in RESTORED_BY_THE_SERVER]
    before = core_options(transport) if keys else {}
    try:
        yield
    finally:
        _put_back(transport, {key: before[key] for key in keys if key in before})


def _put_back(transport: Transport, before: Mapping[str, Any]) -> None:
    if not before:
        return
    try:
        now = core_options(transport)
        stuck = {key: value for key, value in before.items() if now.get(key) != value}
        if stuck:
            transport.post("/sdapi/v1/options", stuck)
    except WebuiError:
        # The run itself is over, well or badly; a server that went away has nothing left to put back.
        return

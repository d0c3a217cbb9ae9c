"""`sajin servers`: the WebUI servers of the studio that runs, and which of them take work."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from command_line.api_client import ApiClient, Body
from command_line.programs import api_address
from studio.settings import Settings


def show(settings: Settings, *, as_json: bool) -> None:
    """Print the servers. Raises JobFailed when no studio runs."""
    servers = list(_api(settings).items("/servers"))
    if as_json:
        print(json.dumps({"servers": servers}))
        return
    table = Table("server", "state", "checkpoint", "", box=None, pad_edge=False)
    for server in servers:
        table.add_row(server["url"], _state(server), server["checkpoint"], server["problem"] or "")
    Console(highlight=False).print(table)


def drain(settings: Settings, url: str) -> None:
    """Let a server take no new work. Raises JobFailed when it is not known, or no studio runs."""
    _api(settings).post("/servers/drain", {"url": url})
    print(f"{url} takes no new work; what runs there is finished first")


def resume(settings: Settings, url: str) -> None:
    """Let a server take work again. Raises JobFailed when it is not known, or no studio runs."""
    _api(settings).post("/servers/resume", {"url": url})
    print(f"{url} takes work again")


def _api(settings: Settings) -> ApiClient:
    return ApiClient(api_address(settings))


def _state(server: Body) -> str:
    closed = not server["takes_work"] and server["status"] != "drained"
    return f"{server['status']}, takes no new work" if closed else str(server["status"])

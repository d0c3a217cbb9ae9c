"""What must hold before a photo is sent: nobody should wait for a learning whose pictures cannot be made."""

from __future__ import annotations

import time
from collections.abc import Sequence

from command_line.api_client import ApiClient, Body
from command_line.errors import JobFailed
from webui_client.capabilities import name_of_checkpoint

PASSING_PROBLEMS = frozenset({"webui_unreachable", "webui_timeout", "not_a_webui", "worker_not_running"})
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.5


def feasible_preset(api: ApiClient, name: str, pose: str | None, tone: str | None = None) -> Body:
    """The preset of that name, which the studio could make now.

    Raises JobFailed with the first reason why it could not, and what to do. Where no server is known yet, what servers
    lack is left to the worker to find out.
    """
    servers = _looked_at_servers(api)
    serving = [server for server in servers if server["status"] != "down"]
    if servers and not serving:
        raise _out_of_use(servers)
    preset = api.get(f"/presets/{name}")
    if preset["identity"] == "lora":
        _require_learning(api, serving)
    _require_parts(preset)
    if pose is not None:
        _require_pose(api, pose)
    if tone is not None:
        _require_tone(api, preset, tone)
    return preset


def _looked_at_servers(api: ApiClient) -> list[Body]:
    """The servers; when all are down, after a while in which one that was just started may be seen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        servers = list(api.items("/servers"))
        passing = servers and all(server["problem_code"] in PASSING_PROBLEMS for server in servers)
        if not passing or time.monotonic() > deadline:
            return servers
        time.sleep(LOOK_SECONDS)


def _out_of_use(servers: Sequence[Body]) -> JobFailed:
    reasons = " ".join(f"{server['problem']} ({server['details']})" for server in servers)
    return JobFailed(f"no server can be used: {reasons}", servers[0]["problem_code"])


def _require_learning(api: ApiClient, serving: Sequence[Body]) -> None:
    """People can be learned, and on a checkpoint that a server works with; else the presets that do without."""
    training = api.get("/status")["training"]
    if not training["available"]:
        free = ", ".join(one["name"] for one in api.items("/presets") if one["identity"] != "lora")
        raise JobFailed(
            f"{training['message']} Presets that need no learned person: {free}.", "training_unavailable"
        )
    learned_on = training["checkpoint"]
    present = sorted({name_of_checkpoint(server["checkpoint"]) for server in serving})
    if present and learned_on not in present:
        raise JobFailed(
            f"people would be learned on the checkpoint {learned_on}, and the server works with "
            f"{', '.join(present)}; choose {learned_on} on the server, or correct SAJIN_CHECKPOINT",
            "learned_elsewhere",
        )


def _require_parts(preset: Body) -> None:
    """Some server has everything that the preset needs; else what is missing, where and for what."""
    if not preset["available"]:
        reasons = (
            f"{part['server']}, stage {part['stage']}: {part['message']}" for part in preset["missing"]
        )
        raise JobFailed(" ".join(reasons), "missing_capability")


def _require_pose(api: ApiClient, pose: str) -> None:
    """There is such a pose picture; else those there are."""
    known = [one["id"] for one in api.items("/poses")]
    if pose not in known:
        raise JobFailed(f"There is no pose picture {pose}. There are: {', '.join(known)}.", "not_found")


def _require_tone(api: ApiClient, preset: Body, tone: str) -> None:
    """The preset takes a tone, and there is such a one; else those there are."""
    if not any(option["key"] == "tone" for option in preset["options"]):
        raise JobFailed(f"The preset {preset['name']} takes no tone.", "invalid_request")
    known = [one["name"] for one in api.items("/tones")]
    if tone not in known:
        raise JobFailed(f"There is no tone {tone}. There are: {', '.join(known)}.", "not_found")

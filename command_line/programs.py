"""Which processes make up the studio, with the commands and the environment they are started with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import SecretStr

from command_line.supervisor import Program
from studio.settings import Settings


def studio_programs(settings: Settings, *, pages: bool = True) -> tuple[Program, ...]:
    """Engine (only if no WebUI is set), worker, API and, if wanted, the pages; in the order of starting."""
    environment = child_environment(settings)
    programs = [_worker(environment), _api(settings, environment)]
    if settings.uses_embedded_engine:
        programs.insert(0, _engine(settings, environment))
    if pages:
        programs.append(_pages(settings, environment))
    return tuple(programs)


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting spelled out, so that all processes agree."""
    spelled = {
        f"{settings.model_config.get('env_prefix', '')}{name}".upper(): _spell(getattr(settings, name))
        for name in type(settings).model_fields
    }
    return {**os.environ, **spelled, "PYTHONUNBUFFERED": "1"}


def engine_command(settings: Settings) -> tuple[str, ...]:
    """The command that runs the embedded engine for these settings, on the checkpoint that people are learned on."""
    loras = settings.installed_loras or settings.data_folder / "loras"
    command = [sys.executable, "-m", "webui_engine", "--port", str(settings.engine_port)]
    command += ["--data", str(settings.data_folder / "engine"), "--lora-dir", str(loras)]
    command += ["--models", str(settings.models_folder)]
    if settings.training_checkpoint is not None:
        command += ["--checkpoint", str(settings.training_checkpoint)]
    return tuple(command)


def pages_command(settings: Settings) -> tuple[str, ...]:
    """The command that runs the pages for these settings."""
    return (
        *(sys.executable, "-m", "gradio_app", "--api", api_address(settings)),
        *("--port", str(settings.ui_port), "--host", "127.0.0.1"),
        *("--uploads", str(settings.data_folder / "uploads")),
    )


def api_address(settings: Settings) -> str:
    """Where this machine reaches the API; an API that listens everywhere is reached on the loopback."""
    host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::") else settings.api_host
    return f"http://[{host}]:{settings.api_port}" if ":" in host else f"http://{host}:{settings.api_port}"


def pages_address(settings: Settings) -> str:
    """Where a browser on this machine finds the studio."""
    return f"http://127.0.0.1:{settings.ui_port}"


def _spell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.expanduser().absolute() if isinstance(value, Path) else value)


def _own(command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "command_line", command)


def _engine(settings: Settings, environment: dict[str, str]) -> Program:
    url = f"http://127.0.0.1:{settings.engine_port}/internal/sajin"
    return Program(name="engine", command=engine_command(settings), environment=environment, url=url)


def _worker(environment: dict[str, str]) -> Program:
    return Program(name="worker", command=_own("worker"), environment=environment)


def _api(settings: Settings, environment: dict[str, str]) -> Program:
    url = f"{api_address(settings)}/healthz"
    return Program(name="api", command=_own("api"), environment=environment, url=url)


def _pages(settings: Settings, environment: dict[str, str]) -> Program:
    command, url = pages_command(settings), pages_address(settings)
    return Program(name="ui", command=command, environment=environment, url=url)

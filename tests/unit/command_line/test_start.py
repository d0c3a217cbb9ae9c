"""Starting from the terminal: quick help, and one clear line for everything that stands in the way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line.preflight import faults, free_port, missing_packages, unusable_folder
from command_line.programs import child_environment, engine_command, studio_programs
from studio.assembly import lay_foundations
from studio.settings import Settings
from tests.chaos.faults import filled_up, locked, read_only, read_only_disk, small_disk
from tests.running_studio import free_settings

PLAIN_PRESET = """\
title: {en: Plain, ko: 기본}
identity: none
prompt: photo of a {subject}
stages:
  first:
    use: txt2img
    steps: 10
"""


def sajin(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_line", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_help_needs_none_of_the_large_libraries() -> None:
    assert "portrait" in sajin("--help").stdout
    large = "torch", "gradio", "sqlalchemy", "dbos", "flask", "pydantic", "numpy", "PIL", "requests"
    script = f"import sys, command_line.main; print([name for name in {large!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_port_in_use_is_one_line_that_names_the_setting(taken_port: int, tmp_path: Path) -> None:
    done = sajin("up", SAJIN_API_PORT=str(taken_port), SAJIN_DATA=str(tmp_path))
    assert done.returncode == 2
    assert (
        done.stderr
        == f"sajin: port {taken_port} is in use by another process; set SAJIN_API_PORT to another one\n"
    )


def test_the_api_alone_says_the_same_of_its_port(taken_port: int, tmp_path: Path) -> None:
    done = sajin("api", SAJIN_API_PORT=str(taken_port), SAJIN_DATA=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"sajin: port {taken_port} is in use")
    assert "Traceback" not in done.stderr


def test_a_file_in_place_of_the_data_folder_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    done = sajin("up", SAJIN_DATA=str(occupied))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "SAJIN_DATA" in done.stderr


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = sajin("up", SAJIN_DATA="/proc/sajin")
    assert done.returncode == 2
    assert done.stderr.startswith("sajin: the data folder /proc/sajin cannot be used")
    assert done.stderr.count("\n") == 1


def test_a_disk_that_cannot_be_written_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with read_only_disk(tmp_path / "data") as disk:
        done = sajin("up", SAJIN_DATA=str(disk))
    assert_one_line_about_the_data_folder(done)


@pytest.mark.parametrize("command", ["up", "api", "worker"])
def test_a_full_disk_is_one_line(tmp_path: Path, command: str) -> None:
    with small_disk(tmp_path / "data", megabytes=4) as disk, filled_up(disk):
        done = sajin(command, SAJIN_DATA=str(disk), SAJIN_API_PORT=str(free_port()))
    assert done.returncode == 2
    assert done.stderr.startswith("sajin: ")
    assert "no room left" in done.stderr.lower() or "No space left" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "api", "worker"])
def test_a_data_folder_made_read_only_is_one_line_that_names_the_setting(
    tmp_path: Path, command: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with read_only(data):
        done = sajin(command, SAJIN_DATA=str(data), SAJIN_API_PORT=str(free_port()))
    assert_one_line_about_the_data_folder(done)


def assert_one_line_about_the_data_folder(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 2
    assert "SAJIN_DATA" in done.stderr
    assert done.stderr.startswith("sajin: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["sajin.db", "dbos.db"])
def test_a_database_locked_by_another_program_is_one_line_after_a_wait(tmp_path: Path, name: str) -> None:
    lay_foundations(free_settings(tmp_path)).closing.close()
    with locked(tmp_path / name):
        done = sajin(
            "worker",
            SAJIN_DATA=str(tmp_path),
            SAJIN_PATIENCE_SECONDS="0",
            SAJIN_WEBUI_URLS="http://127.0.0.1:9",
        )
    assert done.returncode == 2
    assert done.stderr.startswith("sajin: The database ")
    assert "locked by another process" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAJIN_API_PORT", "70000"),
        ("SAJIN_API_PORT", "eight"),
        ("SAJIN_WEBUI_AUTH", "nocolon"),
        ("SAJIN_WEBUI_URLS", "gpu:7860"),
        ("SAJIN_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_line_that_names_it(name: str, value: str) -> None:
    done = sajin("up", **{name: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"sajin: {name} cannot be used: ")
    assert done.stderr.count("\n") == 1


BROKEN_PRESETS = {
    "broken": ("title: {en: A, ko: B}\nstages: [\n", "broken.yaml:3:"),
    "unknown": (PLAIN_PRESET + "    stepz: 3\n", "unknown.yaml:8: stages.first.stepz:"),
    "missing": (PLAIN_PRESET.replace("photo of a {subject}", "portrait/nowhere"), "missing.yaml:3: prompt:"),
    "one": ("extends: two\n", "one.yaml:1: extends:"),
    "two": ("extends: one\n", "two.yaml:1: extends:"),
}


def test_broken_presets_stop_the_start_with_file_line_and_key_of_each(tmp_path: Path) -> None:
    presets = tmp_path / "presets"
    presets.mkdir()
    for name, (text, _) in BROKEN_PRESETS.items():
        (presets / f"{name}.yaml").write_text(text, encoding="utf-8")
    places = {"SAJIN_PRESETS_DIR": str(presets), "SAJIN_DATA": str(tmp_path / "data")}
    for command in (("api",), ("worker",), ("preset", "check")):
        done = sajin(*command, SAJIN_API_PORT=str(free_port()), **places)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        for _, told in BROKEN_PRESETS.values():
            assert told in done.stderr, command


@pytest.mark.parametrize("seed", ["-1", str(2**32), "1.5", "seven"])
def test_a_seed_out_of_range_is_refused_before_anything_starts(tmp_path: Path, seed: str) -> None:
    done = sajin("portrait", "--photos", str(tmp_path), f"--seed={seed}")
    assert done.returncode == 2
    assert "--seed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_package_is_named_with_what_to_run() -> None:
    assert list(missing_packages(["json", "no_such_package"])) == [
        "the package no_such_package is missing; run: make setup"
    ]


def test_a_folder_that_can_be_made_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert list(unusable_folder(folder)) == []
    assert folder.is_dir()


def test_a_checkpoint_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    missing = tmp_path / "model.safetensors"
    assert list(faults(free_settings(tmp_path, checkpoint=missing))) == [
        f"there is no checkpoint at {missing}; correct SAJIN_CHECKPOINT, or leave it unset"
    ]


def test_two_parts_on_one_port_are_a_fault(tmp_path: Path) -> None:
    port = free_port()
    settings = free_settings(tmp_path, api_port=port, ui_port=port)
    assert any("two parts" in fault for fault in faults(settings))


@pytest.mark.parametrize("checkpoint", [None, "model.safetensors"])
def test_the_engine_draws_with_the_checkpoint_that_people_are_learned_on(
    tmp_path: Path, checkpoint: str | None
) -> None:
    settings = free_settings(tmp_path, checkpoint=tmp_path / checkpoint if checkpoint else None)
    command = engine_command(settings)
    assert command[command.index("--checkpoint") + 1] == str(settings.training_checkpoint)


def test_the_engine_is_started_only_without_a_webui(tmp_path: Path) -> None:
    alone = [program.name for program in studio_programs(free_settings(tmp_path))]
    beside = [
        program.name for program in studio_programs(free_settings(tmp_path, webui_urls=("http://gpu:7860",)))
    ]
    assert alone == ["engine", "worker", "api", "ui"]
    assert beside == ["worker", "api", "ui"]


def test_children_read_the_settings_they_were_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = free_settings(
        tmp_path, webui_urls=("http://a:1", "http://b:2"), webui_auth="user:secret", log_level="debug"
    )
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None) == settings

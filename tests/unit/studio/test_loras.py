"""The servers' LoRA folder: what is put there can be read by them, and nothing unfinished stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.errors import StorageError
from studio.loras import LoraFolders, trial_name
from studio.store import STALE_SECONDS


def test_an_installed_lora_can_be_read_by_a_server_of_another_user(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        LoraFolders(folders=(tmp_path,)).install("anna", b"weights")
    finally:
        os.umask(before)
    assert (tmp_path / "anna.safetensors").stat().st_mode & 0o777 == 0o644


def test_what_a_killed_install_or_scoring_left_is_swept_and_the_servers_files_stay(tmp_path: Path) -> None:
    theirs, fresh = tmp_path / "part-of-a-set.safetensors", tmp_path / f"part-{'b' * 32}"
    left = tmp_path / f"part-{'a' * 32}"
    trial = tmp_path / f"{trial_name('c' * 32, 350)}.safetensors"
    for file in (theirs, left, trial, fresh):
        file.touch()
    for file in (theirs, left, trial):
        os.utime(file, (0, fresh.stat().st_mtime - STALE_SECONDS - 60))
    LoraFolders(folders=(tmp_path,)).sweep()
    assert set(tmp_path.iterdir()) == {theirs, fresh}


def test_candidates_are_taken_from_every_folder_and_those_of_another_training_stay(tmp_path: Path) -> None:
    folders = (tmp_path / "of one server", tmp_path / "of another", tmp_path / "away")
    ours, theirs = trial_name("a" * 32, 1), trial_name("b" * 32, 1)
    loras = LoraFolders(folders=folders[:2])
    for name in (ours, theirs):
        loras.install(name, b"weights")
    assert all((folder / f"{ours}.safetensors").exists() for folder in loras.folders)
    LoraFolders(folders=folders).remove_trials("a" * 32)
    assert [[file.name for file in folder.iterdir()] for folder in loras.folders] == (
        [[f"{theirs}.safetensors"]] * 2
    )


def test_loras_are_removed_from_every_folder_though_one_of_them_keeps_hold(tmp_path: Path) -> None:
    stuck, free = tmp_path / "stuck", tmp_path / "free"
    (stuck / "anna.safetensors").mkdir(parents=True)
    folders = LoraFolders(folders=(stuck, free))
    free.mkdir()
    for name in ("anna", "berta"):
        (free / f"{name}.safetensors").write_bytes(b"weights")
    (stuck / "berta.safetensors").write_bytes(b"weights")

    with pytest.raises(StorageError, match=r"anna\.safetensors"):
        folders.remove("anna", "berta")

    assert not list(free.iterdir())
    assert [file.name for file in stuck.iterdir()] == ["anna.safetensors"]

"""The store: files appear whole or not at all, and a full or read-only disk is one clear error."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from studio.assembly import make_data_folder
from studio.errors import DataFolderUnusable, DiskFull, StorageError
from studio.settings import REPOSITORY
from studio.store import STALE_SECONDS, Store, storage_errors, write_whole


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"file://{tmp_path}/data", tmp_path / "cache")


def files_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_file_is_named_by_its_content(store: Store) -> None:
    path = store.put(b"picture", "photos/x", ".jpg")
    assert re.fullmatch(r"photos/x/[0-9a-f]{64}\.jpg", path)
    assert store.get(path) == b"picture"


def test_the_same_content_is_kept_once(store: Store, tmp_path: Path) -> None:
    assert store.put(b"same", "a", ".png") == store.put(b"same", "a", ".png")
    assert len(files_in(tmp_path / "data")) == 1


def test_a_deleted_file_is_gone_and_deleting_it_again_is_fine(store: Store) -> None:
    path = store.put(b"x", "a", ".png")
    store.delete(path)
    store.delete(path)
    assert not store.has(path)
    with pytest.raises(StorageError):
        store.local(path)


def test_a_store_that_is_no_folder_gives_local_copies(tmp_path: Path) -> None:
    remote = Store("memory://sajin-test", tmp_path / "cache")
    path = remote.put(b"far away", "outputs", ".png")
    assert remote.local(path).read_bytes() == b"far away"
    remote.delete(path)
    assert files_in(tmp_path / "cache") == []


def test_a_writer_that_dies_leaves_no_file_under_the_name(tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    script = (
        "import os, sys, tempfile; from pathlib import Path; from studio import store; "
        "store.os.fsync = lambda handle: os.kill(os.getpid(), 9); "
        f"store.write_whole(Path({str(target)!r}), b'x' * 1000, Path({str(tmp_path / 'tmp')!r}))"
    )
    died = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert died.returncode == -9
    assert not target.exists()


def test_leftovers_of_dead_writers_are_swept_when_old(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "tmp"
    folder.mkdir(parents=True)
    old, fresh = folder / "part-old", folder / "part-fresh"
    old.touch()
    fresh.touch()
    os.utime(old, (0, fresh.stat().st_mtime - STALE_SECONDS - 60))
    store.sweep()
    assert files_in(folder) == [fresh]


def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(DiskFull, match="no room left"):
            write_whole(tmp_path / "big.png", b"x" * 20_000, tmp_path / "tmp")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in(tmp_path) == []


def test_a_data_folder_under_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderUnusable, match=r"SAJIN_DATA"):
        make_data_folder(tmp_path / "file" / "data")


def test_a_read_only_filesystem_is_refused_in_one_line() -> None:
    """/proc cannot be written by anybody, root included."""
    with pytest.raises(StorageError) as refused:
        make_data_folder(Path("/proc/sajin"))
    assert "\n" not in str(refused.value)


def test_a_folder_without_permission_is_a_data_folder_error() -> None:
    with pytest.raises(DataFolderUnusable), storage_errors("here"):
        raise PermissionError(13, "Permission denied")

"""Real faults of the ground the studio stands on, put on and taken off again within a context."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def locked(database: Path, how: str = "EXCLUSIVE") -> Iterator[None]:
    """A SQLite file held by another program, which is this process. how: "IMMEDIATE" or "EXCLUSIVE"."""
    holder = sqlite3.connect(database, isolation_level=None, timeout=30)
    holder.execute(f"BEGIN {how}")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written.

    To root permissions are no hindrance, so everything in it becomes immutable; to anybody else they are, but for what
    is open already.
    """
    with immutable(folder) if os.geteuid() == 0 else _without_permission(folder):
        yield


@contextmanager
def immutable(*places: Path) -> Iterator[None]:
    """Files, and folders with all in them, that not even root can write, nor those who have them open already.

    Skips the test where that cannot be had.
    """
    try:
        _mark(places, "+i")
        yield
    finally:
        _mark(places, "-i")


def _mark(places: tuple[Path, ...], change: str) -> None:
    chattr = shutil.which("chattr")
    if chattr is None or os.geteuid() != 0:
        pytest.skip("only root can make files immutable, with chattr")
    done = subprocess.run([chattr, "-R", change, *places], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"files cannot be made immutable here: {done.stderr.strip()}")


@contextmanager
def _without_permission(folder: Path) -> Iterator[None]:
    places = [folder, *(place for place in folder.rglob("*") if not place.is_symlink())]
    modes = [(place, place.stat().st_mode) for place in places]
    try:
        for place, mode in reversed(modes):
            place.chmod(mode & ~0o222)
        yield
    finally:
        for place, mode in modes:
            place.chmod(mode)


@contextmanager
def in_the_way(folder: Path) -> Iterator[None]:
    """A file where a folder of the studio was or will be; nobody can write into a file's inside, root included."""
    aside = folder.with_name(f"{folder.name}.aside")
    existed = folder.exists()
    if existed:
        folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        if existed:
            aside.rename(folder)


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A filesystem of its own that holds so much. Skips the test where none can be mounted."""
    with _mounted(place, f"size={megabytes}m"):
        yield place


@contextmanager
def read_only_disk(place: Path) -> Iterator[Path]:
    """A filesystem of its own that nobody can write. Skips the test where none can be mounted."""
    with _mounted(place, "ro"):
        yield place


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[None]:
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "sajin-test", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode != 0:
        pytest.skip(f"no filesystem can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def filled_up(disk: Path) -> Iterator[None]:
    """No byte is free on a disk."""
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            _write_until_full(file.fileno())
        yield
    finally:
        ballast.unlink()


def _write_until_full(descriptor: int) -> None:
    for size in (1 << 20, 1 << 12):
        try:
            while True:
                os.write(descriptor, b"\0" * size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

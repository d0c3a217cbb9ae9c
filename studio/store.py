"""Where pictures and adapters are kept: content-addressed files on any fsspec filesystem.

A file's name is the SHA-256 of its content in a folder of the studio's choosing; nothing a user sent becomes a path.
A file appears under its name whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from studio.errors import DataFolderUnusable, DiskFull, StorageError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_ACCESS = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR})
TEMPORARY = "tmp"
PART = "part-"
STALE_SECONDS = 600.0


class Store:
    """Files under one fsspec address; paths are relative to it, with forward slashes.

    cache: a local folder for what can be made again: thumbnails, copies of remote files, unfinished files.
    """

    def __init__(self, address: str, cache: Path) -> None:
        from fsspec.core import url_to_fs

        self._files: Any
        self._files, root = url_to_fs(address)
        self._root = root.rstrip("/")
        self.cache = cache
        self._local = "file" in self._files.protocol

    def put(self, content: bytes, folder: str, suffix: str) -> str:
        """Keep content and return its path, "folder/<sha256><suffix>". Raises DiskFull, DataFolderUnusable."""
        path = f"{folder}/{hashlib.sha256(content).hexdigest()}{suffix}"
        if not self._files.exists(self._at(path)):
            self._write(path, content)
        return path

    def has(self, path: str) -> bool:
        """Whether a file is kept under path."""
        return bool(self._files.exists(self._at(path)))

    def get(self, path: str) -> bytes:
        """The content of a kept file. Raises StorageError when it is gone."""
        with storage_errors(path):
            content: bytes = self._files.cat_file(self._at(path))
            return content

    def local(self, path: str) -> Path:
        """A file of this machine with the content of path. Raises StorageError when it is gone."""
        if self._local:
            place = Path(self._at(path))
            if not place.is_file():
                raise StorageError(f"The file {path} is gone from the store.", path=path)
            return place
        copy = self.cache / path
        if not copy.exists():
            write_whole(copy, self.get(path), self.cache / TEMPORARY)
        return copy

    def delete(self, path: str) -> None:
        """Erase a file and everything made from it here; one that is gone already is fine."""
        with storage_errors(path):
            if self._files.exists(self._at(path)):
                self._files.rm_file(self._at(path))
            (self.cache / path).unlink(missing_ok=True)
            self.small_copy(path).unlink(missing_ok=True)
            shutil.rmtree(self.encodings(path), ignore_errors=True)

    def small_copy(self, path: str) -> Path:
        """Where the thumbnail of a picture is kept on this machine, whether it is there or not."""
        return self.cache / "thumbnails" / Path(path).with_suffix(".jpg")

    def encodings(self, path: str) -> Path:
        """The folder for an animation's files in other formats on this machine, whether it is there or not."""
        return self.cache / "encodings" / Path(path).with_suffix("")

    def sweep(self) -> None:
        """Erase temporary files that a killed process left long ago."""
        folders = [self.cache / TEMPORARY, *([Path(self._at(TEMPORARY))] if self._local else [])]
        erase_stale(file for folder in folders if folder.is_dir() for file in folder.iterdir())

    def _write(self, path: str, content: bytes) -> None:
        if self._local:
            write_whole(Path(self._at(path)), content, Path(self._at(TEMPORARY)))
            return
        temporary = self._at(f"{TEMPORARY}/{uuid.uuid4().hex}")
        with storage_errors(path):
            self._files.pipe_file(temporary, content)
            self._files.mv(temporary, self._at(path))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"


def erase_stale(files: Iterable[Path]) -> None:
    """Erase those files that nobody has written to for STALE_SECONDS."""
    for file in files:
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > STALE_SECONDS:
                file.unlink()


def write_whole(
    target: Path, content: bytes, temporary: Path, *, durable: bool = True, mode: int = 0o600
) -> None:
    """Write a local file whole or not at all: into folder temporary (of the same filesystem), then renamed.

    durable: force it onto the disk before it gets its name, so that it outlives a power cut. mode: its permissions,
    less what the process's umask takes away.
    """
    with storage_errors(str(target)):
        temporary.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        name = temporary / f"{PART}{uuid.uuid4().hex}"
        try:
            with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            name.replace(target)
        except BaseException:
            name.unlink(missing_ok=True)
            raise


@contextmanager
def storage_errors(path: str) -> Iterator[None]:
    """Translate the filesystem's errors into StorageError, the cause kept. path: named where the error names none."""
    try:
        yield
    except OSError as error:
        place = str(error.filename or path)
        if error.errno in NO_ROOM:
            raise DiskFull(place) from error
        if error.errno in NO_ACCESS:
            raise DataFolderUnusable(place, error.strerror or str(error)) from error
        raise StorageError(f"The file {place} cannot be used: {error}", path=place) from error

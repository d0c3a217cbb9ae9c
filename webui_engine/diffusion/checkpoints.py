"""Which checkpoints there are, and by which names A1111 knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from webui_engine.diffusion.hashing import SHORT, sha256_of
from webui_engine.errors import UnknownName

FOLDER = "Stable-diffusion"
WEIGHT_SUFFIXES = (".safetensors", ".ckpt")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointInfo:
    """One entry of ``GET sd-models``.

    title: ``name`` until the file was hashed (at its first loading), then ``name [hash]``. model_name: the name without
    suffix. hash: 10 hex digits; sha256: 64. filename: of a single file, or of a folder in diffusers' layout.
    """

    title: str
    model_name: str
    filename: str
    hash: str | None = None
    sha256: str | None = None
    config: str | None = None

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.filename)

    def answers_to(self, name: str) -> bool:
        """Whether name is one of its aliases: title, file name, stem, 10-digit hash or SHA-256."""
        plain = self.title.partition(" [")[0]
        return name in {self.title, plain, self.model_name, self.path.name, self.hash, self.sha256}

    def hashed(self) -> CheckpointInfo:
        """The same with its hashes; reads the file once."""
        sha256 = sha256_of(_weight_files(self.path))
        plain = self.title.partition(" [")[0]
        return replace(self, title=f"{plain} [{sha256[:SHORT]}]", hash=sha256[:SHORT], sha256=sha256)


def scan_checkpoints(models_dirs: Iterable[Path], named: Iterable[Path] = ()) -> tuple[CheckpointInfo, ...]:
    """The checkpoints below each folder's ``Stable-diffusion``: diffusers folders and single files, by name.

    named: further ones wherever they lie. Of two with the same name the later one wins, a named one before all.
    """
    found: dict[str, CheckpointInfo] = {}
    for directory in models_dirs:
        root = directory / FOLDER
        for path in _checkpoint_paths(root):
            info = _describe(path, root)
            found[info.title] = info
    for path in named:
        info = _describe(path, path.parent)
        found[info.title] = info
    return tuple(found[title] for title in sorted(found, key=str.lower))


def find_checkpoint(name: str, checkpoints: Sequence[CheckpointInfo]) -> CheckpointInfo:
    """The checkpoint that answers to name, or UnknownName."""
    for info in checkpoints:
        if info.answers_to(name):
            return info
    raise UnknownName("checkpoint", name, [info.title for info in checkpoints])


def is_checkpoint(path: Path) -> bool:
    """Whether path looks like a checkpoint: a folder in diffusers' layout, or a file of weights."""
    return is_diffusers_folder(path) or (path.is_file() and path.suffix in WEIGHT_SUFFIXES)


def is_diffusers_folder(path: Path) -> bool:
    """Whether path is a pipeline folder in diffusers' layout."""
    return (path / "model_index.json").is_file()


def _checkpoint_paths(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    folders = {index.parent for index in root.rglob("model_index.json")}
    files = {
        path
        for path in root.rglob("*")
        if path.suffix in WEIGHT_SUFFIXES and path.is_file() and not folders.intersection(path.parents)
    }
    return sorted(path for path in folders | files if not _is_hidden(path, root))


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _describe(path: Path, root: Path) -> CheckpointInfo:
    config = next(
        (str(path.with_suffix(end)) for end in (".yaml", ".json") if path.with_suffix(end).is_file()), None
    )
    name = path.relative_to(root).as_posix()
    stem = name if path.is_dir() else name.removesuffix(path.suffix)
    return CheckpointInfo(title=name, model_name=stem.replace("/", "_"), filename=str(path), config=config)


def _weight_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in {".safetensors", ".bin"})

"""The ControlNets of the models folders: listed under A1111's names, loaded by diffusers."""

from __future__ import annotations

import inspect
import json
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import ControlNetModel

from webui_engine.diffusion.hashing import legacy_hash
from webui_engine.diffusion.model import Model
from webui_engine.errors import UNREADABLE, BadValue, CheckpointBroken, UnknownName

FOLDER = "ControlNet"
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
_KEPT = 2


@dataclass(frozen=True, slots=True)
class ControlNetInfo:
    """name: ``stem [hash8]`` as ``GET /controlnet/model_list`` has it; path: a diffusers folder or a single file."""

    name: str
    stem: str
    path: Path


class ControlNets:
    """Lists the ControlNets and keeps the two that were used last in memory, until the checkpoint changes."""

    def __init__(self, models_dirs: Sequence[Path]) -> None:
        self._models_dirs = tuple(models_dirs)
        self._loaded: OrderedDict[Path, ControlNetModel] = OrderedDict()

    def listing(self) -> tuple[ControlNetInfo, ...]:
        """What is in the ``ControlNet`` folders now, by name."""
        found = {info.stem: info for directory in self._models_dirs for info in _scan(directory / FOLDER)}
        return tuple(found[stem] for stem in sorted(found, key=str.lower))

    def find(self, name: str) -> ControlNetInfo:
        """The ControlNet called name, with or without its hash; UnknownName if there is none."""
        listing = self.listing()
        stem = name.rpartition(" [")[0] or name
        for info in listing:
            if name == info.name or stem == info.stem:
                return info
        raise UnknownName("ControlNet", name, [info.name for info in listing])

    def load(self, name: str, model: Model) -> ControlNetModel:
        """The network called name on the model's device; raises CheckpointBroken, BadValue if it does not fit."""
        info = self.find(name)
        network = self._loaded.pop(info.path, None) or _load(info, model)
        self._loaded[info.path] = network
        if len(self._loaded) > _KEPT:
            self._loaded.popitem(last=False)
        return network

    def clear(self) -> None:
        """Forget the loaded networks."""
        self._loaded.clear()


def _scan(folder: Path) -> list[ControlNetInfo]:
    if not folder.is_dir():
        return []
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    found = ((entry, _weights(entry)) for entry in entries)
    return [_info(entry, weights) for entry, weights in found if weights is not None]


def _info(entry: Path, weights: Path) -> ControlNetInfo:
    stem = entry.name if entry.is_dir() else entry.stem
    return ControlNetInfo(f"{stem} [{legacy_hash(weights)}]", stem, entry)


def _weights(entry: Path) -> Path | None:
    if entry.is_file():
        return entry if entry.suffix in SUFFIXES else None
    if not (entry / "config.json").is_file():
        return None
    return next((file for file in sorted(entry.iterdir()) if file.suffix in SUFFIXES), None)


def _load(info: ControlNetInfo, model: Model) -> ControlNetModel:
    try:
        network = _read(info.path, model)
    except UNREADABLE as error:
        raise CheckpointBroken(info.path, error) from error
    _require_fit(info, network, model)
    return network.to(model.device.place).requires_grad_(False).eval()


def _read(path: Path, model: Model) -> ControlNetModel:
    if path.is_dir():
        folder: ControlNetModel = ControlNetModel.from_pretrained(
            path, dtype=model.device.dtype, local_files_only=True
        )
        return folder
    with tempfile.TemporaryDirectory() as config:
        Path(config, "config.json").write_text(json.dumps(_config_like(model)), encoding="utf-8")
        single: ControlNetModel = ControlNetModel.from_single_file(
            str(path), config=config, dtype=model.device.dtype, local_files_only=True
        )
    return single


def _config_like(model: Model) -> Mapping[str, Any]:
    """A single file does not tell its shape; a ControlNet is a copy of the denoiser's way down, so it is the same."""
    known = inspect.signature(ControlNetModel.__init__).parameters
    shared = {key: value for key, value in dict(model.unet.config).items() if key in known}
    return {**shared, "in_channels": model.latent_channels, "_class_name": "ControlNetModel"}


def _require_fit(info: ControlNetInfo, network: ControlNetModel, model: Model) -> None:
    for key in ("in_channels", "cross_attention_dim", "block_out_channels"):
        ours = model.latent_channels if key == "in_channels" else model.unet.config[key]
        if _plain(network.config[key]) != _plain(ours):
            reason = f"its {key} is {network.config[key]}, the checkpoint's is {ours}"
            raise BadValue("controlnet model", info.name, reason)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value

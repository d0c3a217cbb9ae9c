"""ESRGAN networks (Wang et al. 2018 and kin) through spandrel, which knows their file layouts.

``import spandrel`` loads some forty architectures, two of which need torchvision, a package that would break the rest
of a CPU installation. The one that is needed here, ESRGAN, needs none of it. So spandrel's package is entered without
running its ``__init__``: a bare package of that name with the right search path stands in ``sys.modules`` while its
ESRGAN module is imported by the ordinary machinery, and is taken out again if it was not there before.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from webui_engine.device import Device, memory_guard
from webui_engine.errors import UNREADABLE, CheckpointBroken

TILE = 192
OVERLAP = 8
_PACKAGES = ("spandrel", "spandrel.architectures")


class Network:
    """A loaded upscaling network; scale is what it enlarges by."""

    def __init__(self, descriptor: Any, device: Device) -> None:
        self._descriptor, self._device = descriptor, device
        self.scale = int(descriptor.scale)

    def enlarge(self, picture: Image.Image) -> Image.Image:
        """The RGB picture scale times larger, worked on in overlapping tiles to bound the memory."""
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).unsqueeze(0) / 255
        with torch.inference_mode(), memory_guard("upscaling a picture"):
            enlarged = self._in_tiles(pixels)
        levels = (enlarged[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return Image.fromarray(levels)

    def _in_tiles(self, pixels: torch.Tensor) -> torch.Tensor:
        height, width = pixels.shape[-2:]
        scale = self.scale
        enlarged = torch.zeros(1, 3, height * scale, width * scale)
        for top, bottom in _spans(height):
            for left, right in _spans(width):
                rows, columns = _with_margin(top, bottom, height), _with_margin(left, right, width)
                tile = self._run(pixels[..., slice(*rows), slice(*columns)])
                inner = tile[
                    ...,
                    (top - rows[0]) * scale : (bottom - rows[0]) * scale,
                    (left - columns[0]) * scale : (right - columns[0]) * scale,
                ]
                enlarged[..., top * scale : bottom * scale, left * scale : right * scale] = inner
        return enlarged

    def _run(self, pixels: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self._descriptor(pixels.to(self._device.place))
        return answer.float().cpu()


def load_network(path: Path, device: Device) -> Network:
    """The network of a ``.pth``, ``.pt`` or ``.safetensors`` file; raises CheckpointBroken."""
    try:
        descriptor = _architecture().load(_state(path))
    except UNREADABLE as error:
        raise CheckpointBroken(path, f"it is not an ESRGAN network: {error}") from error
    descriptor.to(device.place).eval()
    return Network(descriptor, device)


def _state(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        return dict(load_file(path))
    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("params_ema", "params", "state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    return dict(state)


@cache
def _architecture() -> Any:
    with _bare_packages():
        return importlib.import_module("spandrel.architectures.ESRGAN").ESRGANArch()


@contextmanager
def _bare_packages() -> Iterator[None]:
    spec = find_spec("spandrel")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("the package spandrel is not installed")
    root = Path(next(iter(spec.submodule_search_locations)))
    added = [name for name in _PACKAGES if name not in sys.modules]
    for name in added:
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


def _spans(length: int) -> list[tuple[int, int]]:
    return [(start, min(start + TILE, length)) for start in range(0, length, TILE)]


def _with_margin(start: int, end: int, limit: int) -> tuple[int, int]:
    return max(0, start - OVERLAP), min(limit, end + OVERLAP)

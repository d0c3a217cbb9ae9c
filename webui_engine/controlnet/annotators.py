"""Preprocessors that need weights of their own, listed where these lie in the folder annotators of a models folder.

``ControlNetHED.pth``: soft edges by holistically-nested edge detection (Xie and Tu 2015), in the form of the public
file of that name. ``depth_anything_v2/``: depth from one picture (Yang et al. 2024), a folder in transformers' layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForDepthEstimation

from webui_engine.controlnet.preprocessors import Module, Pixels, Slider
from webui_engine.device import Device
from webui_engine.errors import UNREADABLE, CheckpointBroken

FOLDER = "annotators"
EDGES, DEPTH = "ControlNetHED.pth", "depth_anything_v2"
_DEPTH_SIDE, _DEPTH_PATCH = 518, 14
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_RESOLUTION = Slider("Resolution", 512, 64, 2048, 8)


class Annotators:
    """Draws what needs weights; those that were used stay in memory until they are forgotten."""

    def __init__(self, models_dirs: Sequence[Path], device: Device) -> None:
        self._folders = tuple(directory / FOLDER for directory in models_dirs)
        self._device = device
        self._loaded: dict[Path, nn.Module] = {}

    def modules(self) -> tuple[Module, ...]:
        """The preprocessors whose weights are there now."""
        return tuple(
            Module(name=name, alias=alias, draw=partial(draw, path), sliders=(_RESOLUTION,), tags=(tag,))
            for name, alias, place, draw, tag in (
                ("hed", "softedge_hed", EDGES, self._edges, "SoftEdge"),
                (DEPTH, DEPTH, f"{DEPTH}/config.json", self._depth, "Depth"),
            )
            if (path := self._find(place)) is not None
        )

    def clear(self) -> None:
        """Forget the networks."""
        self._loaded.clear()

    def _find(self, place: str) -> Path | None:
        return next(
            (folder / place for folder in reversed(self._folders) if (folder / place).is_file()), None
        )

    def _edges(self, path: Path, pixels: Pixels, _a: float, _b: float) -> Pixels:
        network = self._network(path, _read_edges)
        with torch.inference_mode():
            levels = network(self._levels(pixels))[0, 0]
        return _grey(levels)

    def _depth(self, path: Path, pixels: Pixels, _a: float, _b: float) -> Pixels:
        network = self._network(path, _read_depth)
        height, width = pixels.shape[:2]
        scale = _DEPTH_SIDE / min(height, width)
        size = [max(1, round(side * scale / _DEPTH_PATCH)) * _DEPTH_PATCH for side in (height, width)]
        mean, spread = (
            torch.tensor(each, device=self._device.place).view(1, 3, 1, 1) for each in (_MEAN, _SPREAD)
        )
        levels = (self._levels(pixels) / 255 - mean) / spread
        with torch.inference_mode():
            resized = functional.interpolate(levels, size=size, mode="bicubic", align_corners=False)
            near = network(resized).predicted_depth[:, None]
            near = functional.interpolate(near, size=(height, width), mode="bilinear")[0, 0]
        lowest, highest = near.min(), near.max()
        return _grey((near - lowest) / (highest - lowest).clamp(min=1e-6))

    def _levels(self, pixels: Pixels) -> torch.Tensor:
        """(1, 3, height, width) from 0 to 255."""
        levels = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
        return levels.to(self._device.place, torch.float32)

    def _network(self, path: Path, read: Callable[[Path], nn.Module]) -> nn.Module:
        if path not in self._loaded:
            try:
                network = read(path)
            except UNREADABLE as error:
                raise CheckpointBroken(path, error) from error
            self._loaded[path] = network.to(self._device.place).requires_grad_(False).eval()
        return self._loaded[path]


class EdgeNetwork(nn.Module):
    """Five blocks of convolutions, each at half the size of the one before and with its own guess of the edges."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.block1 = _Block(3, 64, 2)
        self.block2 = _Block(64, 128, 2)
        self.block3 = _Block(128, 256, 3)
        self.block4 = _Block(256, 512, 3)
        self.block5 = _Block(512, 512, 3)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """RGB (1, 3, height, width) from 0 to 255 to edges (1, 1, height, width) from 0 to 1."""
        seen, guesses = levels - self.norm, []
        for block in (self.block1, self.block2, self.block3, self.block4, self.block5):
            seen, guess = block(seen, halve=block is not self.block1)
            guesses.append(functional.interpolate(guess, size=levels.shape[-2:], mode="bilinear"))
        return torch.stack(guesses).mean(dim=0).sigmoid()


class _Block(nn.Module):
    def __init__(self, inward: int, outward: int, layers: int) -> None:
        super().__init__()
        widths = [inward, *[outward] * layers]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.projection = nn.Conv2d(outward, 1, 1)

    def forward(self, seen: torch.Tensor, *, halve: bool) -> tuple[torch.Tensor, torch.Tensor]:
        if halve:
            seen = functional.max_pool2d(seen, 2, ceil_mode=True)
        for convolution in self.convs:
            seen = functional.relu(convolution(seen))
        return seen, self.projection(seen)


def _read_edges(path: Path) -> nn.Module:
    network = EdgeNetwork()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network


def _read_depth(config: Path) -> nn.Module:
    network: Any = AutoModelForDepthEstimation.from_pretrained(config.parent, local_files_only=True)
    return network.float()  # type: ignore[no-any-return]


def _grey(levels: torch.Tensor) -> Pixels:
    """(height, width) from 0 to 1 as RGB pixels."""
    grey = (levels.clamp(0, 1) * 255).round().byte().cpu().numpy()
    return np.repeat(grey[..., None], 3, axis=2)

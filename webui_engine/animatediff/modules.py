"""The motion modules of the models folders: listed by their file names, joined to a checkpoint's denoiser."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.loaders.single_file_utils import convert_animatediff_checkpoint_to_diffusers
from safetensors import safe_open
from safetensors.torch import load_file

from webui_engine.diffusion.hashing import sha256_of
from webui_engine.diffusion.model import Model
from webui_engine.errors import UNREADABLE, BadValue, CheckpointBroken, UnknownName

FOLDER = "animatediff"
SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
MOST_LEVELS = 8
BLOCK = "down_blocks.{}.motion_modules.0.temporal_transformer."
"""What the tensors of a level of a denoiser are called in AnimateDiff's files."""

STABLE_DIFFUSION_1 = (320, 640, 1280, 1280)
HEADS = 8
"""Of every attention of AnimateDiff's modules; their files do not tell it."""


@dataclass(frozen=True, slots=True)
class Upbringing:
    """What a module was trained with, and so wants again: AnimateDiff's own modules, unless it says otherwise.

    beta_schedule: how the noise levels are spaced, whatever the checkpoint's own. same_noise: whether all frames are
    made from the noise of the first one.
    """

    beta_schedule: str = "linear"
    same_noise: bool = False


@dataclass(frozen=True, slots=True)
class MotionModuleInfo:
    """name: the file's, or the folder's in diffusers' layout. path: that file or folder. weights: the file itself."""

    name: str
    path: Path
    weights: Path

    @property
    def hash(self) -> str:
        """SHA-256 of the weights, in hex."""
        return sha256_of([self.weights])

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of the denoiser that it was made for, as far as can be told without reading the weights."""
        config = self.path / "config.json"
        if config.is_file():
            return tuple(json.loads(config.read_text("utf-8"))["block_out_channels"])
        if self.weights.suffix != ".safetensors":
            return STABLE_DIFFUSION_1
        with safe_open(self.weights, framework="pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
        return _widths({name.removeprefix("module."): shape for name, shape in shapes.items()})

    @property
    def upbringing(self) -> Upbringing:
        """What its folder's ``sajin.json`` tells of it."""
        about = self.path / "sajin.json"
        told = json.loads(about.read_text("utf-8")) if about.is_file() else {}
        return Upbringing(**told.get("trained_with", {}))


class MotionModules:
    """Lists the modules and keeps the one used last, joined to the denoiser, until the checkpoint changes."""

    def __init__(self, models_dirs: Sequence[Path]) -> None:
        self._models_dirs = tuple(models_dirs)
        self._joined: tuple[Path, UNetMotionModel] | None = None

    def listing(self) -> tuple[MotionModuleInfo, ...]:
        """What is in the ``animatediff`` folders now, by name."""
        found = {info.name: info for directory in self._models_dirs for info in _scan(directory / FOLDER)}
        return tuple(found[name] for name in sorted(found, key=str.lower))

    def fitting(self, model: Model) -> tuple[MotionModuleInfo, ...]:
        """Those of the listing that were made for denoisers as wide as the model's."""
        widths = tuple(model.unet.config.block_out_channels)
        return tuple(info for info in self.listing() if info.widths == widths)

    def find(self, name: str) -> MotionModuleInfo:
        """The module called name, with or without its ending; UnknownName if there is none."""
        listing = self.listing()
        for info in listing:
            if name in (info.name, info.path.stem):
                return info
        raise UnknownName("motion module", name, [info.name for info in listing])

    def join(self, name: str, model: Model) -> UNetMotionModel:
        """The model's denoiser with the module called name in it; both share their weights with it.

        Raises CheckpointBroken, and BadValue for a module of another family.
        """
        info = self.find(name)
        if self._joined is None or self._joined[0] != info.path:
            adapter = _read(info, model)
            _require_fit(info, adapter, model.unet)
            self._joined = info.path, joined(model.unet, adapter)
        return self._joined[1]

    def clear(self) -> None:
        """Forget the module in use."""
        self._joined = None


def joined(unet: UNet2DConditionModel, adapter: MotionAdapter) -> UNetMotionModel:
    """unet with adapter's layers between its own: the very same layers, so that LoRAs in them work, and no copy."""
    with torch.device("meta"):
        network = UNetMotionModel.from_unet2d(unet, adapter, load_weights=False)
    for name in ("conv_in", "time_proj", "time_embedding", "conv_norm_out", "conv_act", "conv_out"):
        setattr(network, name, getattr(unet, name))
    pairs = [*zip(network.down_blocks, unet.down_blocks, adapter.down_blocks, strict=True)]
    pairs += zip(network.up_blocks, unet.up_blocks, adapter.up_blocks, strict=True)
    pairs += [(network.mid_block, unet.mid_block, adapter.mid_block)]
    for block, still, moving in pairs:
        for name in ("resnets", "attentions", "downsamplers", "upsamplers"):
            if hasattr(still, name):
                setattr(block, name, getattr(still, name))
        if moving is not None:
            block.motion_modules = moving.motion_modules
    return network.requires_grad_(False).eval()


def _scan(folder: Path) -> Iterator[MotionModuleInfo]:
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.name.startswith("."):
            continue
        if entry.is_file() and entry.suffix in SUFFIXES:
            yield MotionModuleInfo(entry.name, entry, entry)
        elif (entry / "config.json").is_file():
            weights = next((file for file in sorted(entry.iterdir()) if file.suffix in SUFFIXES), None)
            if weights is not None:
                yield MotionModuleInfo(entry.name, entry, weights)


def _read(info: MotionModuleInfo, model: Model) -> MotionAdapter:
    try:
        adapter = _read_folder(info.path) if info.path.is_dir() else _read_file(info.path)
    except UNREADABLE as error:
        raise CheckpointBroken(info.path, error) from error
    return adapter.to(model.device.place, model.device.dtype)


def _read_folder(path: Path) -> MotionAdapter:
    adapter: MotionAdapter = MotionAdapter.from_pretrained(path, local_files_only=True)
    return adapter


def _read_file(path: Path) -> MotionAdapter:
    """A file of AnimateDiff's authors; what shape it has is told by its tensors."""
    state = _tensors(path)
    adapter = MotionAdapter(**shape_of(state))
    missing, unknown = adapter.load_state_dict(
        convert_animatediff_checkpoint_to_diffusers(state), strict=False
    )
    lacking = [name for name in missing if not name.endswith(".pe")]
    if lacking or unknown:
        raise ValueError(f"it is no motion module: {(lacking or unknown)[0]}")
    return adapter


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, Any] = (
        load_file(path)
        if path.suffix == ".safetensors"
        else torch.load(path, map_location="cpu", weights_only=True)
    )
    state: dict[str, torch.Tensor] = loaded.get("state_dict", loaded)
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def shape_of(state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """MotionAdapter's arguments for the tensors of a file; LookupError if it is none of AnimateDiff's."""
    layers = {name.split(".")[3] for name in state if name.startswith("down_blocks.0.motion_modules.")}
    places = state[BLOCK.format(0) + "transformer_blocks.0.attention_blocks.0.pos_encoder.pe"]
    return {
        "block_out_channels": _widths({name: tensor.shape for name, tensor in state.items()}),
        "motion_layers_per_block": len(layers),
        "motion_num_attention_heads": HEADS,
        "motion_max_seq_length": places.shape[1],
        "use_motion_mid_block": any(name.startswith("mid_block.") for name in state),
    }


def _widths(shapes: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    norms = (BLOCK.format(level) + "norm.weight" for level in range(MOST_LEVELS))
    return tuple(int(shapes[name][0]) for name in norms if name in shapes)


def _require_fit(info: MotionModuleInfo, adapter: MotionAdapter, unet: UNet2DConditionModel) -> None:
    for ours, theirs in (
        ("block_out_channels", "block_out_channels"),
        ("layers_per_block", "motion_layers_per_block"),
    ):
        has, wants = _plain(adapter.config[theirs], adapter), _plain(unet.config[ours], adapter)
        if has != wants:
            reason = f"it was made for another family of checkpoints: {ours} {has}, not {wants}"
            raise BadValue("motion module", info.name, reason)


def _plain(value: Any, adapter: MotionAdapter) -> list[int]:
    if isinstance(value, int):
        return [value] * len(adapter.config["block_out_channels"])
    return list(value)

"""IP-Adapter: what a picture shows as a further condition of the denoiser (Ye et al. 2023), through diffusers.

The adapters lie among the ControlNets, under the names of the A1111 extension; what reads pictures for them lies in the
folder clip_vision of a models folder, one file in transformers' keys (clip_h.safetensors, clip_g.safetensors).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers.models.embeddings import ImageProjection
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from webui_engine.controlnet.models import ControlNets
from webui_engine.controlnet.preprocessors import Module, Slider
from webui_engine.diffusion.model import Model, Pipeline
from webui_engine.errors import UNREADABLE, BadValue, CheckpointBroken, UnknownName
from webui_engine.tasks import AdapterUnit

FOLDER = "clip_vision"
_HEADS = 16
"""Attention heads of CLIP's ViT-H and ViT-bigG, which the shapes do not tell; a ``.json`` beside may say otherwise."""


def _module(name: str, alias: str) -> Module:
    resolution = Slider("Resolution", 512, 64, 2048, 8)
    return Module(name=name, alias=alias, sliders=(resolution,), tags=("IP-Adapter",))


ENCODERS = (
    (_module("ip-adapter_clip_sd15", "ip-adapter_clip_h"), "clip_h.safetensors"),
    (_module("ip-adapter_clip_sdxl", "ip-adapter_clip_g"), "clip_g.safetensors"),
)
"""The preprocessors that read pictures for IP-Adapters, and the file each of them needs."""


class Adapters:
    """The IP-Adapters of the models folders; the picture encoder that was used last is kept in memory."""

    def __init__(self, models_dirs: Sequence[Path], networks: ControlNets) -> None:
        self._folders = tuple(directory / FOLDER for directory in models_dirs)
        self._networks = networks
        self._encoder: tuple[Path, CLIPVisionModelWithProjection] | None = None

    def modules(self) -> tuple[Module, ...]:
        """The preprocessors whose weights are there now."""
        return tuple(module for module, file in ENCODERS if self._find(file) is not None)

    def clear(self) -> None:
        """Forget the picture encoder."""
        self._encoder = None

    @contextmanager
    def on(self, model: Model, units: Sequence[AdapterUnit]) -> Iterator[Features | None]:
        """Have the units' adapters in the denoiser for a while; gives what they add, None without units.

        Raises UnknownName, CheckpointBroken, BadValue for an adapter that does not fit the checkpoint, or units that
        are read by different encoders.
        """
        if not units:
            yield None
            return
        modules = {unit.module for unit in units}
        if len(modules) > 1:
            raise BadValue("controlnet module", ", ".join(sorted(modules)), "IP-Adapter units must share one")
        pipeline = model.pipeline
        encoder = self._load_encoder(units[0].module, model)
        size = encoder.config.image_size
        extractor = CLIPImageProcessor(size=size, crop_size=size)
        pipeline.register_modules(image_encoder=encoder, feature_extractor=extractor)
        try:
            self._attach(pipeline, units)
            yield Features(
                pipeline, units, [_read(pipeline, number, unit) for number, unit in enumerate(units)]
            )
        finally:
            pipeline.unload_ip_adapter()

    def _attach(self, pipeline: Pipeline, units: Sequence[AdapterUnit]) -> None:
        states = [_state(self._networks.find(unit.model).path) for unit in units]
        names = ", ".join(unit.model for unit in units)
        try:
            pipeline.load_ip_adapter(
                states, subfolder="", weight_name=[""] * len(states), image_encoder_folder=None
            )
        except (RuntimeError, ValueError, KeyError) as error:
            reason = f"it does not fit the checkpoint ({str(error).splitlines()[0][:160]})"
            raise BadValue("controlnet model", names, reason) from error

    def _find(self, file: str) -> Path | None:
        return next((folder / file for folder in reversed(self._folders) if (folder / file).is_file()), None)

    def _load_encoder(self, module: str, model: Model) -> CLIPVisionModelWithProjection:
        file = next((file for known, file in ENCODERS if known.name == module), None)
        path = None if file is None else self._find(file)
        if path is None:
            raise UnknownName("preprocessor", module, [known.name for known in self.modules()])
        if self._encoder is None or self._encoder[0] != path:
            self._encoder = path, _read_encoder(path, model)
        return self._encoder[1]


class Features:
    """What the pictures of some IP-Adapter units add to the denoiser's conditions."""

    def __init__(
        self,
        pipeline: Pipeline,
        units: Sequence[AdapterUnit],
        read: Sequence[tuple[torch.Tensor, torch.Tensor]],
    ) -> None:
        self._pipeline, self._units, self._read = pipeline, tuple(units), tuple(read)

    def at(self, share: float, rows: int, batch: int, *, second_pass: bool) -> list[torch.Tensor]:
        """The features of each unit, (rows * batch, pictures, …), at this share (0 to 1) of the steps.

        The first batch rows are unconditioned when there is more than one row a picture. Sets each unit's weight.
        """
        scales = [unit.weight_at(share, second_pass=second_pass) for unit in self._units]
        self._pipeline.set_ip_adapter_scale(scales)
        return [
            torch.cat([*([without] if rows > 1 else []), *[seen] * max(1, rows - 1)]).repeat_interleave(
                batch, dim=0
            )
            for seen, without in self._read
        ]


def _read(pipeline: Pipeline, number: int, unit: AdapterUnit) -> tuple[torch.Tensor, torch.Tensor]:
    """The features of the unit's pictures and of none, (1, pictures, …) each."""
    projection = pipeline.unet.encoder_hid_proj.image_projection_layers[number]
    hidden = not isinstance(projection, ImageProjection)
    seen, without = pipeline.encode_image(list(unit.images), pipeline.unet.device, 1, hidden)
    dtype = pipeline.unet.dtype
    return seen[None].to(dtype), without[None].to(dtype)


def _state(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """The adapter's two parts; raises CheckpointBroken for a file that is none."""
    try:
        if path.suffix == ".safetensors":
            whole = load_file(path)
            parts = {part: _below(whole, part) for part in ("image_proj", "ip_adapter")}
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
            parts = {part: dict(loaded[part]) for part in ("image_proj", "ip_adapter")}
    except UNREADABLE as error:
        raise CheckpointBroken(path, error) from error
    if not all(parts.values()):
        raise CheckpointBroken(path, "it is no IP-Adapter")
    return parts


def _below(whole: dict[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(f"{part}."): value for key, value in whole.items() if key.startswith(f"{part}.")}


def _read_encoder(path: Path, model: Model) -> CLIPVisionModelWithProjection:
    try:
        encoder = CLIPVisionModelWithProjection(_vision_config(path))
        encoder.load_state_dict(load_file(path), strict=False)
    except UNREADABLE as error:
        raise CheckpointBroken(path, error) from error
    return encoder.to(model.device.place, model.device.dtype).requires_grad_(False).eval()


def _vision_config(path: Path) -> CLIPVisionConfig:
    """What the shapes of the encoder's tensors tell, and a ``.json`` of the same name beside it."""
    with safe_open(str(path), framework="pt") as tensors:
        shapes = {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}  # noqa: SIM118
    width, _, patch, _ = shapes["vision_model.embeddings.patch_embedding.weight"]
    places = shapes["vision_model.embeddings.position_embedding.weight"][0] - 1
    layers = [re.match(r"vision_model\.encoder\.layers\.(\d+)\.", key) for key in shapes]
    beside = path.with_suffix(".json")
    told = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    inferred = {
        "hidden_size": width,
        "patch_size": patch,
        "image_size": round(places**0.5) * patch,
        "intermediate_size": shapes["vision_model.encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": 1 + max(int(found[1]) for found in layers if found),
        "projection_dim": shapes["visual_projection.weight"][0],
        "num_attention_heads": _HEADS,
        "hidden_act": "gelu",
    }
    return CLIPVisionConfig(**{**inferred, **told})

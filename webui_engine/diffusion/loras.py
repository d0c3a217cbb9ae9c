"""LoRA files: listing them under A1111's names, and melting them into the networks for a batch of pictures.

diffusers and peft read the files (kohya's and diffusers' key layouts) and merge them; what they change is copied first
and put back afterwards, so that a picture without a LoRA is always made by the untouched checkpoint, and one with a
LoRA as fast as one without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import convert_state_dict_to_diffusers
from diffusers.utils.state_dict_utils import StateDictType
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file

from webui_engine.diffusion.embeddings import BUNDLED, bundled_embeddings
from webui_engine.diffusion.hashing import lora_hash, safetensors_metadata
from webui_engine.diffusion.model import Model, Pipeline
from webui_engine.diffusion.prompts import NetworkTag
from webui_engine.errors import UNREADABLE

FOLDER = "Lora"
SUFFIXES = (".safetensors", ".pt", ".ckpt", ".bin")
_OLD_LAYER = "_lora."
_COMPONENTS = ("unet", "text_encoder", "text_encoder_2")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraInfo:
    """One entry of ``GET loras``. alias: the name written by the trainer, else the file's stem."""

    name: str
    alias: str
    path: str
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """The 12 digits that the infotext names it by."""
        return lora_hash(Path(self.path))


@dataclass(frozen=True, slots=True)
class Applied:
    """The LoRAs that a set of tags brought into effect, each with its name in the prompt, and why others are not."""

    loras: tuple[tuple[str, LoraInfo], ...] = ()
    warnings: tuple[str, ...] = ()


def scan_loras(folders: Iterable[Path]) -> tuple[LoraInfo, ...]:
    """The LoRA files below the folders, by name; of two of the same name the later folder's is taken."""
    found = {
        path.stem: path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path.is_file() and not path.name.startswith(".")
    }
    return tuple(_describe(found[stem]) for stem in sorted(found, key=str.lower))


def find_lora(name: str, loras: Sequence[LoraInfo]) -> LoraInfo | None:
    """The LoRA whose file stem, else whose alias, is name."""
    by_alias = next((lora for lora in loras if lora.alias == name), None)
    return next((lora for lora in loras if lora.name == name), by_alias)


def _describe(path: Path) -> LoraInfo:
    metadata = safetensors_metadata(path)
    return LoraInfo(
        name=path.stem, alias=metadata.get("ss_output_name") or path.stem, path=str(path), metadata=metadata
    )


class MeltedLoras:
    """The LoRAs that are melted into one model's weights."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._key: tuple[Any, ...] = ()
        self._applied = Applied()
        self._originals: dict[str, dict[str, torch.Tensor]] = {}

    def apply(self, tags: Sequence[NetworkTag], loras: Sequence[LoraInfo]) -> tuple[Applied, bool]:
        """Bring exactly these tags into effect; also tells whether any weight changed.

        A tag whose file is missing or cannot be read is left out with a warning, as in A1111.
        """
        wanted = [(tag, find_lora(tag.name, loras)) for tag in tags]
        key = tuple((tag, info and (info.path, Path(info.path).stat().st_mtime_ns)) for tag, info in wanted)
        if key == self._key:
            return self._applied, False
        changed = bool(self._originals)
        self._restore()
        self._applied = self._melt(wanted)
        self._key = key
        return self._applied, changed or bool(self._originals)

    def _melt(self, wanted: Sequence[tuple[NetworkTag, LoraInfo | None]]) -> Applied:
        applied, warnings, weights = [], [], {}
        parts = self._parts()
        for index, (tag, info) in enumerate(wanted):
            problem = self._load(f"lora{index}", info) if info else "no such file"
            if info is None or problem:
                warnings.append(f"LoRA {tag.name!r} is left out: {problem}")
                continue
            weights[f"lora{index}"] = {
                part: tag.unet if part == "unet" else tag.text_encoder for part in parts
            }
            applied.append((tag.name, info))
        if weights:
            self._merge(weights)
        return Applied(tuple(applied), tuple(warnings))

    def _load(self, adapter: str, info: LoraInfo) -> str | None:
        path = Path(info.path)
        try:
            _attach(self._model, path, adapter)
        except UNREADABLE as error:
            self._model.pipeline.delete_adapters([adapter])
            return str(error).partition("\n")[0] or type(error).__name__
        return None if adapter in _adapters(self._model.pipeline) else "it changes nothing in this checkpoint"

    def _merge(self, weights: dict[str, dict[str, float]]) -> None:
        pipeline = self._model.pipeline
        pipeline.set_adapters(list(weights), [dict(weight) for weight in weights.values()])
        self._originals = {part: dict(_base_weights(getattr(pipeline, part))) for part in self._parts()}
        pipeline.fuse_lora(components=[part for part, changed in self._originals.items() if changed])
        pipeline.unload_lora_weights()

    def _parts(self) -> tuple[str, ...]:
        return tuple(part for part in _COMPONENTS if hasattr(self._model.pipeline, part))

    def _restore(self) -> None:
        for part, originals in self._originals.items():
            modules = dict(getattr(self._model.pipeline, part).named_modules())
            for name, weight in originals.items():
                modules[name].weight.copy_(weight)
        self._originals = {}


def _attach(model: Model, file: Path, adapter: str) -> None:
    """What ``load_lora_weights`` does, but also for files that leave out some of a text encoder's layers.

    diffusers tells kohya's layout of a text encoder by a layer that such files lack, so it is named here. SDXL's files
    may follow the block numbers of the original checkpoint, for which diffusers asks the denoiser's configuration.
    Words that come with a LoRA are taught elsewhere, and diffusers refuses a file that has them.
    """
    pipeline = model.pipeline
    numbered = {"unet_config": pipeline.unet.config} if model.is_sdxl else {}
    source: str | dict[str, torch.Tensor] = str(file.parent)
    if bundled_embeddings(file):
        source = {key: value for key, value in load_file(file).items() if not key.startswith(BUNDLED)}
    state, alphas, metadata = pipeline.lora_state_dict(
        source, weight_name=file.name, return_lora_metadata=True, **numbered
    )
    shared = {"network_alphas": alphas, "adapter_name": adapter, "metadata": metadata, "_pipeline": pipeline}
    unet = {key: value for key, value in state.items() if not key.startswith(_COMPONENTS[1:])}
    pipeline.load_lora_into_unet(unet, unet=pipeline.unet, **shared)
    for part in (part for part in _COMPONENTS[1:] if hasattr(pipeline, part)):
        text = {key: value for key, value in state.items() if key.startswith(f"{part}.")}
        if any(_OLD_LAYER in key for key in text):
            text = convert_state_dict_to_diffusers(text, StateDictType.DIFFUSERS_OLD)
        pipeline.load_lora_into_text_encoder(
            text, text_encoder=getattr(pipeline, part), prefix=part, **shared
        )


def _adapters(pipeline: Pipeline) -> set[str]:
    return {name for names in pipeline.get_list_adapters().values() for name in names}


def _base_weights(network: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Copies of the weights that adapters stand before, by the module's name."""
    for name, module in network.named_modules():
        if isinstance(module, BaseTunerLayer):
            yield name, module.get_base_layer().weight.detach().clone()

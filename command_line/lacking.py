"""What is missing for which product on which server, and the command that gets it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from command_line.model_table import RecommendedModel
from studio.catalogue import sample_order
from studio.library.reading import Library, Product
from studio.pipeline.facts import facts_of
from studio.planning.names import CHECKPOINT_FAMILY, INSTANT_ID
from studio.planning.plan import Lack
from studio.planning.planning import lacks_of
from webui_client.capabilities import Capabilities

SDXL_SIDE = 1024
POSE = "pose"
MOST_NAMES = 3
FACE_SWAPPER = "face swapper"
KINDS = {
    "controlnet model": "ControlNet",
    "controlnet module": "ControlNet preprocessor",
    "adetailer model": "ADetailer detector",
    "lora": "LoRA",
    CHECKPOINT_FAMILY: "checkpoint of",
    INSTANT_ID: "InstantID",
}
EXTENSIONS = {
    "Ultimate SD upscale": "install the extension ultimate-upscale-for-automatic1111",
    "ControlNet": "install the extension sd-webui-controlnet (Forge has it built in)",
    "ADetailer": "install the extension adetailer",
    "AnimateDiff": "install the extension sd-webui-animatediff",
    INSTANT_ID: "put ip-adapter_instant_id_sdxl and control_instant_id_sdxl into the ControlNet folder (their "
    "InsightFace model is for non-commercial research only)",
    FACE_SWAPPER: "install one of the extensions sd-webui-faceswaplab, sd-webui-reactor, sd-webui-roop (their model is "
    "for non-commercial use)",
}

Weight = Literal["stops", "family", "pose", "left out"]
"""Whether the product cannot be made at all, not on this kind of checkpoint, not with a chosen pose, or is made without
the part.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """One part that one server lacks. products: for which presets. remedy: what to do, "" if nothing is known."""

    server: str
    part: str
    weight: Weight
    products: tuple[str, ...]
    remedy: str

    def sentence(self) -> str:
        """The whole of it in one line."""
        products = _several(self.products)
        told = {
            "stops": f"has no {self.part}, needed by {products}",
            "family": f"works with no {self.part}, which {products} is for",
            "pose": f"has no {self.part}, needed to follow a pose in {products}",
            "left out": f"has no {self.part}, left out of {products}",
        }[self.weight]
        return f"{told}: {self.remedy}" if self.remedy else told


def lacking(
    library: Library, servers: Sequence[Capabilities], models: Sequence[RecommendedModel]
) -> tuple[Lacking, ...]:
    """What each server lacks for each product, the products that share a lack in one entry.

    A part that a preset may leave out is told only where a recommended model would fill it.
    """
    found = []
    for server in servers:
        products: dict[tuple[Weight, str, str], dict[str, None]] = {}
        for product in library.products.values():
            for weight, lack in _lacks(product, library, server):
                remedy = _remedy(lack, server, models)
                if weight != "left out" or remedy:
                    products.setdefault((weight, _part(lack), remedy), {})[product.name] = None
        found += [
            Lacking(server=server.server, part=part, weight=weight, products=tuple(names), remedy=remedy)
            for (weight, part, remedy), names in products.items()
        ]
    return tuple(found)


def makeable(
    library: Library, servers: Sequence[Capabilities], lacks: Sequence[Lacking]
) -> Mapping[str, tuple[str, ...]]:
    """For each product, the servers that can make it."""
    stopped = {
        (name, lack.server) for lack in lacks if lack.weight in ("stops", "family") for name in lack.products
    }
    return {
        name: tuple(server.server for server in servers if (name, server.server) not in stopped)
        for name in library.products
    }


def _lacks(product: Product, library: Library, server: Capabilities) -> Iterator[tuple[Weight, Lack]]:
    facts = facts_of(server)
    plain = lacks_of(sample_order(product), facts, library.prompts)
    posed = lacks_of(sample_order(product, POSE), facts, library.prompts)
    for lack in posed:
        weight: Weight = "left out" if lack.optional else "stops" if lack in plain else "pose"
        if lack.kind == CHECKPOINT_FAMILY:
            weight = "family"
        yield weight, lack.model_copy(update={"stage": ""})


def _part(lack: Lack) -> str:
    return f"{KINDS.get(lack.kind, lack.kind)} {' or '.join(lack.wanted)}"


def _remedy(lack: Lack, server: Capabilities, models: Sequence[RecommendedModel]) -> str:
    extension = _missing_extension(lack, server)
    if extension is not None:
        return EXTENSIONS.get(extension, f"install the extension {extension}")
    for model in models:
        if model.serves_as(lack.kind, lack.wanted) and _fits(model, server):
            return _command(model, server)
    return ""


def _missing_extension(lack: Lack, server: Capabilities) -> str | None:
    """The extension without which no file would help; None if a file or name is all that is missing."""
    if lack.kind == "script":
        return lack.wanted[0]
    if lack.kind.startswith("controlnet") and server.controlnet is None:
        return "ControlNet"
    if lack.kind == "adetailer model" and server.adetailer is None:
        return "ADetailer"
    return lack.kind if lack.kind in (FACE_SWAPPER, INSTANT_ID) else None


def _fits(model: RecommendedModel, server: Capabilities) -> bool:
    """Whether the model is of use beside the server's checkpoint, and its place known; SD.Next's folders are others."""
    if server.demonstration or not server.ways.a1111_folders:
        return False
    place = model.engine if server.flavour == "sajin" else model.webui
    return place is not None and (model.family is None or server.native_size < SDXL_SIDE)


def _command(model: RecommendedModel, server: Capabilities) -> str:
    command = f"sajin models get {model.name}"
    if server.flavour != "sajin":
        return f"{command} --into {_folder_of(server) or 'FOLDER (where its WebUI lies, on its machine)'}"
    package = model.engine_package
    if package is not None and importlib.util.find_spec(package) is None:
        return f"{command}, with the package {package}"
    return command


def _folder_of(server: Capabilities) -> Path | None:
    """The folder of the server's WebUI, if it lies on this machine; told by where its checkpoints are."""
    for checkpoint in server.checkpoints:
        for folder in Path(checkpoint.filename).parents:
            if folder.name == "models" and folder.is_dir():
                return folder.parent
    return None


def _several(names: Sequence[str]) -> str:
    shown, rest = names[:MOST_NAMES], len(names) - MOST_NAMES
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")

"""The upscalers in A1111's order, and one function that enlarges a picture with any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from webui_engine.device import Device
from webui_engine.errors import UnknownName
from webui_engine.upscalers.esrgan import Network, load_network

FOLDER = "ESRGAN"
SUFFIXES = (".pth", ".pt", ".safetensors")
_MOST_PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscalerInfo:
    """One entry of ``GET upscalers``. model_path: None for those without a network; scale: what A1111 says."""

    name: str
    model_name: str | None = None
    model_path: str | None = None
    scale: float = 4


BUILT_IN = (UpscalerInfo(name="None"), UpscalerInfo(name="Lanczos"), UpscalerInfo(name="Nearest"))


class Upscalers:
    """Lists and runs the upscalers of some models folders; keeps the network that was used last."""

    def __init__(self, models_dirs: Sequence[Path], device: Device) -> None:
        self._models_dirs, self._device = tuple(models_dirs), device
        self._loaded: tuple[Path, Network] | None = None

    def listing(self) -> tuple[UpscalerInfo, ...]:
        """None, Lanczos, Nearest, then the files of every ``ESRGAN`` folder by name."""
        files = [file for directory in self._models_dirs for file in (directory / FOLDER).glob("*")]
        found = {
            file.stem: file for file in files if file.suffix in SUFFIXES and not file.name.startswith(".")
        }
        networks = (
            UpscalerInfo(name=stem, model_name=stem, model_path=str(found[stem]))
            for stem in sorted(found, key=str.lower)
        )
        return (*BUILT_IN, *networks)

    def find(self, name: str) -> UpscalerInfo:
        """The upscaler of this name, or UnknownName."""
        listing = self.listing()
        for info in listing:
            if info.name == name:
                return info
        raise UnknownName("upscaler", name, [info.name for info in listing])

    def upscale(self, picture: Image.Image, name: str, width: int, height: int) -> Image.Image:
        """picture in RGB at exactly width by height.

        A network is applied until the picture is large enough (at most three times); Lanczos does the rest. "None"
        resamples like "Lanczos".
        """
        info = self.find(name)
        picture = picture.convert("RGB")
        if info.model_path is not None:
            picture = self._apply_network(self._network(Path(info.model_path)), picture, width, height)
        resample = Image.Resampling.NEAREST if info.name == "Nearest" else Image.Resampling.LANCZOS
        return picture if picture.size == (width, height) else picture.resize((width, height), resample)

    def _apply_network(self, network: Network, picture: Image.Image, width: int, height: int) -> Image.Image:
        for _ in range(_MOST_PASSES):
            if picture.width >= width and picture.height >= height:
                break
            larger = network.enlarge(picture)
            if larger.size == picture.size:
                break
            picture = larger
        return picture

    def _network(self, path: Path) -> Network:
        if self._loaded is None or self._loaded[0] != path:
            self._loaded = (path, load_network(path, self._device))
        return self._loaded[1]

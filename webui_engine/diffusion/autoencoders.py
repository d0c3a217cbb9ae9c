"""Autoencoders that may stand in for the checkpoint's own; A1111's ``sd_vae``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffusers import AutoencoderKL

from webui_engine.diffusion.hashing import SHORT, sha256_of
from webui_engine.diffusion.loading import load_autoencoder
from webui_engine.diffusion.model import Model
from webui_engine.errors import BadValue, UnknownName

FOLDER = "VAE"
SUFFIXES = (".safetensors", ".pt", ".ckpt", ".bin")
OWN = ("Automatic", "None", "")
"""Names that mean the checkpoint's own autoencoder."""


@dataclass(frozen=True, slots=True)
class VaeInfo:
    """One entry of ``GET sd-vae``: model_name is the file's or folder's name."""

    model_name: str
    filename: str

    @property
    def hash(self) -> str:
        """The 10 digits that the infotext names it by."""
        path = Path(self.filename)
        files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
        return sha256_of(files)[:SHORT]


def scan_vaes(models_dirs: Iterable[Path]) -> tuple[VaeInfo, ...]:
    """The files and diffusers folders of each ``VAE`` folder, by name."""
    entries = [entry for directory in models_dirs for entry in (directory / FOLDER).glob("*")]
    usable = {
        entry.name: entry
        for entry in entries
        if entry.suffix in SUFFIXES or (entry / "config.json").is_file()
    }
    return tuple(VaeInfo(name, str(usable[name])) for name in sorted(usable, key=str.lower) if name[0] != ".")


def find_vae(name: str, vaes: Sequence[VaeInfo]) -> VaeInfo | None:
    """The autoencoder called name (with or without suffix), None for the checkpoint's own, else UnknownName."""
    if name in OWN:
        return None
    for vae in vaes:
        if name in (vae.model_name, Path(vae.model_name).stem):
            return vae
    raise UnknownName("VAE", name, [vae.model_name for vae in vaes])


class VaeSlot:
    """Puts an autoencoder into a model's pipeline and takes it out again."""

    def __init__(self, model: Model) -> None:
        self._model, self._own = model, model.vae
        self._current: VaeInfo | None = None

    def put(self, wanted: VaeInfo | None) -> None:
        """Use wanted, or the checkpoint's own for None. Raises CheckpointBroken, and BadValue if it does not fit."""
        if wanted == self._current:
            return
        self._model.pipeline.vae = self._own if wanted is None else self._load(wanted)
        self._current = wanted

    def _load(self, wanted: VaeInfo) -> AutoencoderKL:
        vae = load_autoencoder(Path(wanted.filename), self._model)
        ours, theirs = self._model.latent_channels, int(vae.config.latent_channels)
        if ours != theirs:
            reason = f"it has {theirs} latent channels, the checkpoint {ours}"
            raise BadValue("sd_vae", wanted.model_name, reason)
        return vae

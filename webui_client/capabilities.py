"""What one server can do: the record that a probe writes and preflight reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from webui_client.flavours import WAYS, Flavour, Ways
from webui_client.units.animatediff import TITLE
from webui_client.units.controlnet import Dialect
from webui_client.units.faceswap import FaceSwapCapability, Swapper

SDXL_WORDS = ("xl", "pony", "illustrious", "noob")
NATIVE_SIZE_SDXL = 1024


class _Listed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Checkpoint(_Listed):
    """A checkpoint or VAE of the server. title: the name the server is asked by. hash: ten hex digits, or
    None until it was loaded once. filename: where it lies on the server's host.
    """

    title: str
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    filename: str = ""
    config: str | None = None


class Vae(_Listed):
    """A VAE file of the server."""

    model_name: str
    filename: str = ""


class Sampler(_Listed):
    """A sampler; name is what is sent. scheduler: the one "Automatic" means for it, if it says so."""

    name: str
    aliases: tuple[str, ...] = ()


class Scheduler(_Listed):
    """A noise schedule; a request may name it by name, label or alias."""

    name: str
    label: str
    aliases: tuple[str, ...] | None = None

    def is_called(self, word: str) -> bool:
        """Whether word names this scheduler."""
        return word in (self.name, self.label, *(self.aliases or ()))


class Upscaler(_Listed):
    """An upscaler. model_path: its file on the server's host, or a download address while it has none."""

    name: str
    model_path: str | None = None
    scale: float | None = None

    @property
    def is_installed(self) -> bool:
        """Whether its weights lie on the server; one that must be downloaded first fails in silence."""
        return not (self.model_path or "").startswith(("http://", "https://"))


class Lora(_Listed):
    """A LoRA. A prompt may name it by name or alias. path: where it lies on the server's host."""

    name: str
    alias: str | None = None
    path: str = ""

    def is_called(self, word: str) -> bool:
        """Whether word, from a prompt's tag, names this LoRA."""
        return word in (self.name, self.alias)


class ADetailerCapability(BaseModel):
    """ADetailer on the server. models: detectors. max_tabs: more are dropped in silence. fields: the keys a
    tab may have (``ad_…``), empty if the server does not tell.
    """

    model_config = ConfigDict(frozen=True)

    version: str | None
    models: tuple[str, ...]
    max_tabs: int
    fields: tuple[str, ...] = ()


class ControlNetCapability(BaseModel):
    """ControlNet on the server. models: as listed, hash included. max_units: more are cut off in silence.
    returns_maps: whether detected maps come back, which prove that a unit ran. maps_switched_off: by the
    server's own option.
    """

    model_config = ConfigDict(frozen=True)

    dialect: Dialect
    models: tuple[str, ...]
    modules: tuple[str, ...]
    max_units: int
    returns_maps: bool = True
    maps_switched_off: bool = False


class Capabilities(BaseModel):
    """One server's capability record.

    version: the WebUI's own word, None until a picture told it. checkpoint: title of the current one.
    upscalers: in the server's order, which gives the index that scripts want. scripts_txt2img,
    scripts_img2img: lower-case titles. native_size: pixels the checkpoint was made for. demonstration: the
    small bundled model is in use. has_internal_progress: progress can be asked by our own task id. easyphoto: the
    training of the extension EasyPhoto can be asked for. motion_modules: file names that AnimateDiff can load; None
    where the server does not tell, as all but our engine.
    """

    model_config = ConfigDict(frozen=True)

    server: str
    flavour: Flavour
    version: str | None
    checkpoint: str
    checkpoints: tuple[Checkpoint, ...]
    vaes: tuple[Vae, ...] = ()
    samplers: tuple[Sampler, ...]
    schedulers: tuple[Scheduler, ...] = ()
    upscalers: tuple[Upscaler, ...] = ()
    latent_upscalers: tuple[str, ...] = ()
    loras: tuple[Lora, ...] = ()
    embeddings: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    face_restorers: tuple[str, ...] = ()
    scripts_txt2img: tuple[str, ...] = ()
    scripts_img2img: tuple[str, ...] = ()
    adetailer: ADetailerCapability | None = None
    controlnet: ControlNetCapability | None = None
    face_swappers: tuple[FaceSwapCapability, ...] = ()
    motion_modules: tuple[str, ...] | None = None
    native_size: int
    demonstration: bool = False
    has_internal_progress: bool = True
    easyphoto: bool = False

    @property
    def current_checkpoint(self) -> Checkpoint | None:
        """The listed checkpoint that is loaded now, or None if the server names one it does not list."""
        return find_checkpoint(self.checkpoint, self.checkpoints)

    @property
    def able_swappers(self) -> tuple[Swapper, ...]:
        """The face swappers that have the model they are asked for."""
        return tuple(found.swapper for found in self.face_swappers if found.is_able)

    @property
    def animates(self) -> bool:
        """Whether AnimateDiff is there."""
        return TITLE.lower() in self.scripts_txt2img

    @property
    def ways(self) -> Ways:
        """How it is asked and what it tells."""
        return WAYS[self.flavour]

    @property
    def is_sdxl(self) -> bool:
        """Whether the checkpoint is taken for one of the SDXL family."""
        return self.native_size >= NATIVE_SIZE_SDXL

    def takes_for_sdxl(self, checkpoint: Checkpoint) -> bool:
        """Whether a listed checkpoint is taken for SDXL: the current one by its size, another by its words."""
        if checkpoint == self.current_checkpoint:
            return self.is_sdxl
        return names_sdxl(checkpoint.config, checkpoint.title)


def find_checkpoint(wanted: str, listed: Sequence[Checkpoint]) -> Checkpoint | None:
    """Return the checkpoint that wanted names: by title, with or without hash, file name, stem, or hash;
    else None.
    """
    return next((checkpoint for checkpoint in listed if wanted in _names(checkpoint)), None)


def names_sdxl(config: str | None, title: str) -> bool:
    """Whether the name of a checkpoint's configuration or its own has a word that SDXL's have."""
    told = (config or "").replace("\\", "/").rsplit("/", 1)[-1]
    return any(word in f"{told} {title}".lower() for word in SDXL_WORDS)


def name_of_checkpoint(title: str) -> str:
    """Return the bare name of a title such as "folder/name.safetensors [6ce0161689]": no folder, extension or hash."""
    file_name = title.rsplit(" [", 1)[0]
    return stem_of(PurePosixPath(file_name.replace("\\", "/")).name)


def _names(checkpoint: Checkpoint) -> set[str]:
    file_name = checkpoint.title.rsplit(" [", 1)[0]
    base = PurePosixPath(file_name.replace("\\", "/")).name
    names = {checkpoint.title, file_name, base, stem_of(base), stem_of(file_name), checkpoint.model_name}
    return names | {value for value in (checkpoint.hash, checkpoint.sha256) if value}


def stem_of(file_name: str) -> str:
    """Return a file name without the extension of a weights file."""
    name, dot, extension = file_name.rpartition(".")
    return name if dot and extension.lower() in ("safetensors", "ckpt", "pt", "pth", "bin") else file_name

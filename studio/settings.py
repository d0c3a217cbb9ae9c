"""The settings of the studio: read once at the start, frozen, passed on. Nobody else reads the environment."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from training.names import TrainerName

REPOSITORY = Path(__file__).resolve().parents[1]
ENGINE = REPOSITORY / "webui_engine"
BUNDLED_CHECKPOINT = ENGINE / "models" / "Stable-diffusion" / "sajin-tiny"

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """What the environment (prefix ``SAJIN_``) or a ``.env`` file says; every field has a default that works.

    data: folder of everything the studio keeps. webui_urls: WebUI servers, comma separated in the environment; empty
    starts the embedded engine. webui_auth: "user:password" of their --api-auth. checkpoint, lora_dir: the server's
    checkpoint file and LoRA folder as this machine sees them; needed for training beside a WebUI. lora_dirs:
    "URL=folder" of the servers that have a LoRA folder of their own, comma separated in the environment.
    embeddings_dir: the servers' embeddings folder; None takes those that lie beside their LoRA folders as in A1111.
    models: folder of further models for the embedded engine, in A1111's layout; None is "models" in data. models_table:
    the models that ``sajin models`` offers.
    trainer: that learns people unless a training names another. kohya: folder of kohya's sd-scripts; kohya_python: the
    interpreter it is installed for, None for the one of its own virtual environment. kohya_class_pictures: folder with
    pictures of other people, in one folder a class noun. kohya_patience_minutes: without progress until it is ended.
    easyphoto_limit_minutes: how long EasyPhoto may take for one person.
    api_hosts: further host names the API answers to, comma separated in the environment.
    database_url, store_url: SQLAlchemy and fsspec addresses; None keeps both in data.
    executor_id: the durable worker's stable name on this host. poll_seconds: how often its queues are looked at.
    patience_seconds: how long a stage waits for servers that do not answer before its job fails, and a write of the
    worker for a locked database.
    """

    model_config = SettingsConfigDict(
        env_prefix="SAJIN_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data: Path = Path("data")
    webui_urls: Annotated[tuple[str, ...], NoDecode] = ()
    webui_auth: SecretStr | None = None
    checkpoint: Path | None = None
    lora_dir: Path | None = None
    lora_dirs: Annotated[tuple[str, ...], NoDecode] = ()
    embeddings_dir: Path | None = None
    models: Path | None = None
    models_table: Path = ENGINE / "models.yaml"
    trainer: TrainerName = "embedded"
    kohya: Path | None = None
    kohya_python: Path | None = None
    kohya_class_pictures: Path | None = None
    kohya_patience_minutes: float = Field(default=15.0, ge=1, le=1440)
    easyphoto_limit_minutes: float = Field(default=180.0, ge=1, le=2880)
    database_url: str | None = None
    store_url: str | None = None
    api_host: str = "127.0.0.1"
    api_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    api_port: Port = 8000
    ui_port: Port = 7861
    engine_port: Port = 7859
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    executor_id: str = Field(default="local", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    poll_seconds: float = Field(default=0.1, ge=0.02, le=10)
    patience_seconds: float = Field(default=120.0, ge=0, le=86400)
    presets_dir: Path = REPOSITORY / "presets"
    prompts_dir: Path = REPOSITORY / "prompts"

    @field_validator("webui_urls", "lora_dirs", "api_hosts", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return value
        return tuple(str(part).strip().rstrip("/") for part in parts if str(part).strip())

    @field_validator("webui_urls")
    @classmethod
    def _urls_are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from webui_client.transport import normal_url

        return tuple(map(normal_url, value))

    @field_validator("lora_dirs")
    @classmethod
    def _lora_dirs_are_pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from webui_client.transport import normal_url

        pairs = [pair.partition("=") for pair in value]
        if not all(folder for _, _, folder in pairs):
            raise ValueError("must be written URL=folder")
        return tuple(f"{normal_url(url)}={folder}" for url, _, folder in pairs)

    @field_validator("webui_auth")
    @classmethod
    def _auth_has_two_parts(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and ":" not in value.get_secret_value():
            raise ValueError("must be written user:password")
        return value

    @property
    def uses_embedded_engine(self) -> bool:
        """Whether no WebUI was named, so that the studio's own engine serves."""
        return not self.webui_urls

    @property
    def server_urls(self) -> tuple[str, ...]:
        """The WebUI servers to use: those named, else the embedded engine."""
        return self.webui_urls or (f"http://127.0.0.1:{self.engine_port}",)

    @property
    def data_folder(self) -> Path:
        """The data folder as an absolute path."""
        return self.data.expanduser().absolute()

    @property
    def training_checkpoint(self) -> Path | None:
        """The checkpoint a training learns on; None when a WebUI serves and its file is not known here.

        The embedded engine makes pictures with the same one.
        """
        if self.checkpoint is not None:
            return self.checkpoint.expanduser().absolute()
        return BUNDLED_CHECKPOINT if self.uses_embedded_engine else None

    @property
    def installed_loras(self) -> Path | None:
        """The folder the server reads LoRA files from; None when it is not known here."""
        if self.lora_dir is not None:
            return self.lora_dir.expanduser().absolute()
        return self.data_folder / "loras" if self.uses_embedded_engine else None

    @property
    def lora_folder_by_server(self) -> dict[str, Path]:
        """The folders of the servers that have one of their own, by their URLs."""
        pairs = (pair.partition("=") for pair in self.lora_dirs)
        return {url: Path(folder).expanduser().absolute() for url, _, folder in pairs}

    @property
    def lora_folders(self) -> tuple[Path, ...]:
        """The folders that the servers in use read LoRA files from, each once, as far as they are known here."""
        return tuple(dict.fromkeys(self.lora_folder_in_use.values()))

    @property
    def lora_folder_in_use(self) -> dict[str, Path]:
        """The folder that each server in use reads LoRA files from, by its URL, as far as it is known here."""
        own, shared = self.lora_folder_by_server, self.installed_loras
        folders = {url: own.get(url, shared) for url in self.server_urls}
        return {url: folder for url, folder in folders.items() if folder is not None}

    @property
    def embedding_folders(self) -> tuple[Path, ...]:
        """The folders that the servers in use read embeddings from, as far as they are known here."""
        if self.embeddings_dir is not None:
            return (self.embeddings_dir.expanduser().absolute(),)
        if self.uses_embedded_engine:
            return (self.models_folder / "embeddings",)
        beside = (folder.parent.parent / "embeddings" for folder in self.lora_folders)
        return tuple(folder for folder in beside if folder.is_dir())

    @property
    def checkpoint_folders(self) -> tuple[Path, ...]:
        """The folder for learned checkpoints: the server reads it, for the one they were learned on lies there."""
        if self.uses_embedded_engine:
            return (self.models_folder / "Stable-diffusion",)
        return () if self.training_checkpoint is None else (self.training_checkpoint.parent,)

    @property
    def models_folder(self) -> Path:
        """The folder of the embedded engine's further models as an absolute path; it need not exist."""
        return (self.models or self.data_folder / "models").expanduser().absolute()

    @property
    def kohya_interpreter(self) -> Path | None:
        """The Python that runs sd-scripts: the one named, else that of the virtual environment in its folder."""
        if self.kohya_python is not None:
            return self.kohya_python.expanduser().absolute()
        return None if self.kohya is None else self.kohya.expanduser().absolute() / "venv" / "bin" / "python"

    @property
    def studio_database(self) -> str:
        """SQLAlchemy address of the studio's own tables."""
        return self.database_url or f"sqlite:///{self.data_folder / 'sajin.db'}"

    @property
    def durable_database(self) -> str:
        """SQLAlchemy address of the durable queue: beside the studio's tables in SQLite, with them in PostgreSQL."""
        if self.database_url and not self.database_url.startswith("sqlite"):
            return self.database_url
        return f"sqlite:///{self.data_folder / 'dbos.db'}"

    @property
    def store_address(self) -> str:
        """fsspec address under which photos, adapters and outputs are kept."""
        return self.store_url or f"file://{self.data_folder}"

    @functools.cached_property
    def auth_pair(self) -> tuple[str, str] | None:
        """User and password for the WebUI servers."""
        if self.webui_auth is None:
            return None
        user, _, password = self.webui_auth.get_secret_value().partition(":")
        return user, password

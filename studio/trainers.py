"""The trainers of this installation: which there are, what each needs, and which may be chosen."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from studio.errors import TrainingObstacle, TrainingUnavailable
from studio.planning.plan import ServerFacts
from studio.settings import Settings
from studio.values import TrainingAvailability
from training.easyphoto import EasyPhotoTrainer, Limits
from training.embedded import EmbeddedTrainer
from training.errors import TrainerUnusable
from training.kohya import Installation, KohyaTrainer, family_of
from training.method import Method
from training.names import TrainerName
from training.port import Trainer
from webui_client.capabilities import name_of_checkpoint
from webui_client.pool import WebuiPool

NAMES: tuple[TrainerName, ...] = get_args(TrainerName)


def trainers(settings: Settings, pool: WebuiPool) -> Mapping[str, Trainer]:
    """Every trainer that the settings know of, whether or not it can learn now. pool: the servers of the settings."""
    known: dict[str, Trainer] = {"embedded": EmbeddedTrainer()}
    installation = _kohya(settings)
    if installation is not None:
        known["kohya"] = KohyaTrainer(
            installation, settings.kohya_class_pictures, settings.kohya_patience_minutes * 60
        )
    if settings.lora_folder_in_use:
        limits = Limits(limit=settings.easyphoto_limit_minutes * 60, patience=settings.patience_seconds)
        known["easyphoto"] = EasyPhotoTrainer(pool, settings.lora_folder_in_use, limits)
    return known


def availability(settings: Settings, servers: Sequence[ServerFacts]) -> TrainingAvailability:
    """Whether identities can be learned here by the trainer of the settings, and which trainers could.

    servers: those that answer.
    """
    able = tuple(name for name in NAMES if _obstacle(settings, name, servers) is None)
    obstacle = _obstacle(settings, settings.trainer, servers)
    code = "ready" if obstacle is None else obstacle.value
    return TrainingAvailability(
        available=obstacle is None,
        code=code,
        checkpoint=checkpoint_name(settings),
        trainer=settings.trainer,
        trainers=able,
    )


def checkpoint_name(settings: Settings) -> str:
    """Bare name of the checkpoint that people are learned on; "" where it is not known."""
    checkpoint = settings.training_checkpoint
    return name_of_checkpoint(checkpoint.name) if checkpoint else ""


def require_training(settings: Settings, trainer: str) -> tuple[Path, tuple[Path, ...]]:
    """The checkpoint and the LoRA folders of the servers.

    Raises TrainingUnavailable unless the checkpoint and a folder are known and there, and the trainer can learn on the
    checkpoint. EasyPhoto's server reads the checkpoint itself, so only its name must be known here; whether a server
    has EasyPhoto is asked of require_server.
    """
    checkpoint, folders = settings.training_checkpoint, settings.lora_folders
    if checkpoint is None:
        raise TrainingUnavailable(
            TrainingObstacle.CHECKPOINT_UNKNOWN,
            "Set SAJIN_CHECKPOINT to the WebUI's checkpoint file to learn beside it.",
        )
    if trainer != "easyphoto" and not checkpoint.exists():
        raise TrainingUnavailable(
            TrainingObstacle.CHECKPOINT_MISSING, f"The checkpoint {checkpoint} is not there."
        )
    if not folders:
        raise TrainingUnavailable(
            TrainingObstacle.LORA_DIR_UNKNOWN,
            "Set SAJIN_LORA_DIR to the WebUI's LoRA folder to train beside it.",
        )
    if not settings.uses_embedded_engine and not any(folder.is_dir() for folder in folders):
        raise TrainingUnavailable(
            TrainingObstacle.LORA_DIR_MISSING, f"The LoRA folder {folders[0]} is not there."
        )
    if trainer == "kohya":
        _require_kohya(settings, checkpoint)
    return checkpoint, folders


def require_server(trainer: str, servers: Sequence[ServerFacts]) -> None:
    """Raise TrainingUnavailable if the trainer learns on a server, and none of those that answer has it."""
    if trainer == "easyphoto" and not any(server.easyphoto for server in servers):
        raise TrainingUnavailable(
            TrainingObstacle.TRAINER_NOT_SERVED,
            "None of the servers that answer has the extension EasyPhoto; install it there, and start the worker.",
        )


def require_method(settings: Settings, trainer: str, method: Method | None) -> None:
    """Raise TrainingUnavailable if the trainer has one way only, or what the method yields cannot be placed."""
    if method is None:
        return
    if trainer != "embedded":
        raise TrainingUnavailable(
            TrainingObstacle.METHOD_NOT_OFFERED,
            f"Methods are chosen for Sajin's own trainer; {trainer} has a way of its own.",
        )
    if method.form == "embedding" and not settings.embedding_folders:
        raise TrainingUnavailable(
            TrainingObstacle.FORM_NOT_PLACED,
            "A learnt word goes into the WebUI's embeddings folder; set SAJIN_EMBEDDINGS_DIR to it.",
        )
    if method.form == "checkpoint" and not any(map(_takes_files, settings.checkpoint_folders)):
        raise TrainingUnavailable(
            TrainingObstacle.FORM_NOT_PLACED,
            "A full DreamBooth yields a whole checkpoint, which is put beside the one it was learned on; its folder"
            f" ({settings.checkpoint_folders[0]}) cannot be written from here.",
        )


def _takes_files(folder: Path) -> bool:
    """Whether files can be put into a folder, or it can be made."""
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK)


def _obstacle(settings: Settings, trainer: str, servers: Sequence[ServerFacts]) -> TrainingObstacle | None:
    try:
        require_training(settings, trainer)
        require_server(trainer, servers)
    except TrainingUnavailable as error:
        return error.reason
    return None


def _require_kohya(settings: Settings, checkpoint: Path) -> None:
    installation = _kohya(settings)
    if installation is None:
        raise TrainingUnavailable(
            TrainingObstacle.TRAINER_UNKNOWN, "Set SAJIN_KOHYA to the folder of kohya's sd-scripts."
        )
    try:
        installation.check(family_of(checkpoint))
    except TrainerUnusable as error:
        raise TrainingUnavailable(TrainingObstacle(error.obstacle.value), str(error)) from error


def _kohya(settings: Settings) -> Installation | None:
    folder, python = settings.kohya, settings.kohya_interpreter
    if folder is None or python is None:
        return None
    return Installation(folder.expanduser().absolute(), python)

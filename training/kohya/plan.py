"""How a person is learned with sd-scripts: numbers from the request where it has them, else from family and machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from training.errors import TrainingFailed
from training.kohya.arguments import RULES, KohyaArguments, Precision
from training.kohya.checkpoint import Family
from training.kohya.dataset import SHAPES_PER_PHOTO, DatasetPlan, pictures_in
from training.kohya.machine import Machine
from training.port import TrainingRequest

EPOCHS = range(5, 16)
USUAL_EPOCHS = 10
STEPS_PER_PHOTO, LEAST_STEPS, MOST_STEPS = 120, 800, 2000
RANK = 16
LEARNING_RATE = 1e-4
WARMUP = 0.02
ROOMY_GPU = {Family.SD15: 8 * 10**9, Family.SDXL: 20 * 10**9}
"""Memory of a card from which on gradient checkpointing only costs time; practice, not measured here."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where sd-scripts works. photos, output: folders. dataset_config: the TOML file."""

    photos: Path
    dataset_config: Path
    output: Path


@dataclass(frozen=True, slots=True)
class KohyaPlan:
    """All numbers of one training.

    images: pictures of the person in an epoch, repeats included.
    """

    arguments: KohyaArguments
    dataset: DatasetPlan
    images: int


def plan_training(
    request: TrainingRequest, family: Family, machine: Machine, places: Places, class_pictures: Path | None
) -> KohyaPlan:
    """The plan for a request, whose steps are met as nearly as whole epochs allow.

    class_pictures: a folder that has pictures of other people of the class noun, None for none.
    Raises TrainingFailed when the request asks for something out of range.
    """
    steps = request.steps or min(max(STEPS_PER_PHOTO * len(request.photos), LEAST_STEPS), MOST_STEPS)
    batch = request.batch_size or 1
    crops = len(request.photos) * SHAPES_PER_PHOTO
    shown = crops if class_pictures is None else 2 * crops  # an epoch shows as many of the class
    epochs, repeats = _course(steps * batch / shown)
    dataset = DatasetPlan(
        resolution=RULES[family].resolution,
        batch_size=batch,
        repeats=repeats,
        class_pictures=class_pictures,
    )
    arguments = _arguments(request, family, machine, places, epochs=epochs, batch=batch)
    return KohyaPlan(arguments, dataset, images=crops * repeats)


def _course(times: float) -> tuple[int, int]:
    """Epochs, and repeats in each, that show every picture as nearly so many times as whole numbers allow."""
    if times < EPOCHS.start:
        return max(1, round(times)), 1

    def unlike(epochs: int) -> tuple[float, int]:
        return abs(epochs * max(1, round(times / epochs)) - times), abs(epochs - USUAL_EPOCHS)

    epochs = min(EPOCHS, key=unlike)
    return epochs, max(1, round(times / epochs))


def _arguments(
    request: TrainingRequest, family: Family, machine: Machine, places: Places, *, epochs: int, batch: int
) -> KohyaArguments:
    rank, rate = request.rank or RANK, request.learning_rate or LEARNING_RATE
    try:
        return KohyaArguments(
            family=family,
            checkpoint=request.checkpoint.absolute(),
            dataset_config=places.dataset_config,
            output_dir=places.output,
            output_name=request.output.stem,
            max_train_epochs=epochs,
            train_batch_size=batch,
            resolution=RULES[family].resolution,
            network_dim=rank,
            network_alpha=rank,
            unet_lr=rate,
            text_encoder_lr=rate / 2 if family is Family.SD15 else 0.0,
            optimizer_type="AdamW8bit" if machine.gpu and machine.eight_bit else "AdamW",
            lr_warmup=WARMUP,
            mixed_precision=_precision(machine),
            gradient_checkpointing=machine.gpu and machine.gpu_total < ROOMY_GPU[family],
            seed=request.seed,
        )
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))} {one['msg']}".strip() for one in error.errors()
        )
        raise TrainingFailed(
            f"sd-scripts cannot be asked for this: {problems}.", "Change the settings of the training."
        ) from error


def _precision(machine: Machine) -> Precision:
    if not machine.gpu:
        return "no"
    return "bf16" if machine.bf16 else "fp16"


def class_pictures_for(folder: Path | None, class_noun: str) -> Path | None:
    """The folder below folder that has the noun's name, as an absolute path, if it is there and has pictures."""
    found = None if folder is None else folder.expanduser().absolute() / class_noun
    return found if found is not None and found.is_dir() and pictures_in(found) else None

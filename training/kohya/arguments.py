"""Every argument of sd-scripts that matters for learning a person: one frozen value, checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.kohya.checkpoint import Family

Optimizer = Literal["AdamW", "AdamW8bit", "Prodigy"]
Precision = Literal["no", "fp16", "bf16"]
LearningRate = Annotated[float, Field(ge=1e-7, le=1.0)]

COMMENT = "Sajin kohya trainer"


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """What a family allows. script: that learns on it. resolution: usual; smallest, largest: side in pixels."""

    script: str
    resolution: int
    smallest: int
    largest: int


RULES = {
    Family.SD15: FamilyRules("train_network.py", resolution=512, smallest=64, largest=768),
    Family.SDXL: FamilyRules("sdxl_train_network.py", resolution=1024, smallest=256, largest=1536),
}


class State(BaseModel):
    """What sd-scripts keeps after an epoch. epoch: how many were learned until then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    epoch: Annotated[int, Field(ge=1)]


class KohyaArguments(BaseModel):
    """The arguments of train_network.py and sdxl_train_network.py, under their own names where those are clear.

    resolution: side in pixels, a multiple of 64; it belongs into the dataset's file.
    max_train_epochs: whole epochs are learned and never a number of steps, because a resumed run counts its steps anew
    and would pass that number. resume: the state to go on from, of an earlier run with the same arguments.
    text_encoder_lr: 0 leaves the text encoder as it is, the only choice for SDXL here, whose text embeddings are
    computed once. lr_warmup: share of the steps. min_snr_gamma: Hang et al. 2023; 0 turns it off.
    prior_loss_weight: of regularisation pictures (Ruiz et al. 2022). Prodigy finds its own rate: its learning rates
    are 1 (Mishchenko and Defazio 2023).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family
    checkpoint: Path
    dataset_config: Path
    output_dir: Path
    output_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
    resume: State | None = None
    max_train_epochs: Annotated[int, Field(ge=1, le=1000)]
    train_batch_size: Annotated[int, Field(ge=1, le=16)] = 1
    resolution: int
    network_dim: Annotated[int, Field(ge=1, le=256)] = 16
    network_alpha: Annotated[float, Field(gt=0)] = 16
    unet_lr: LearningRate = 1e-4
    text_encoder_lr: Annotated[float, Field(ge=0, le=1)] = 5e-5
    optimizer_type: Optimizer = "AdamW"
    lr_scheduler: Literal["constant", "constant_with_warmup", "cosine", "cosine_with_restarts"] = "cosine"
    lr_warmup: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    min_snr_gamma: Annotated[float, Field(ge=0, le=20)] = 5.0
    noise_offset: Annotated[float, Field(ge=0, le=1)] = 0.05
    prior_loss_weight: Annotated[float, Field(ge=0, le=10)] = 1.0
    clip_skip: Annotated[int, Field(ge=1, le=4)] | None = None
    mixed_precision: Precision = "fp16"
    gradient_checkpointing: bool = False
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        problem = next(self._problems(), None)
        if problem is not None:
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        rules = RULES[self.family]
        if self.resolution % 64 or not rules.smallest <= self.resolution <= rules.largest:
            yield f"resolution must be a multiple of 64 from {rules.smallest} to {rules.largest}"
        if self.network_alpha > self.network_dim:
            yield "network_alpha must not exceed network_dim"
        if self.resume is not None and self.resume.epoch >= self.max_train_epochs:
            yield "the state to resume is of the last epoch"
        if self.family is Family.SDXL and (self.text_encoder_lr or self.clip_skip):
            yield "SDXL is learned in its U-Net alone: text_encoder_lr 0 and no clip_skip"
        rates = {self.unet_lr, self.text_encoder_lr} - {0.0}
        if self.optimizer_type == "Prodigy" and rates != {1.0}:
            yield "Prodigy needs learning rates of 1"
        if self.optimizer_type != "Prodigy" and max(rates) > 0.01:
            yield "learning rates must not exceed 0.01"

    @property
    def script(self) -> str:
        """The script of sd-scripts that learns with these."""
        return RULES[self.family].script

    def command_line(self) -> tuple[str, ...]:
        """The arguments as the script takes them; each is one word, --name or --name=value."""
        options = {**self._model(), **self._learning(), **self._keeping()}
        return (
            tuple(
                f"--{name}" if value is True else f"--{name}={value}"
                for name, value in options.items()
                if value is not None and value is not False
            )
            + self._optimizer_args()
        )

    def _model(self) -> dict[str, object]:
        sdxl = self.family is Family.SDXL
        unet_only = not self.text_encoder_lr
        return {
            "pretrained_model_name_or_path": self.checkpoint,
            "dataset_config": self.dataset_config,
            "network_module": "networks.lora",
            "network_dim": self.network_dim,
            "network_alpha": self.network_alpha,
            "network_train_unet_only": unet_only,
            "cache_text_encoder_outputs": sdxl,
            "no_half_vae": sdxl,
            "cache_latents": True,
            "clip_skip": self.clip_skip,
            "sdpa": True,
            "mixed_precision": self.mixed_precision,
            "gradient_checkpointing": self.gradient_checkpointing,
            "max_data_loader_n_workers": 1,
            "persistent_data_loader_workers": True,
        }

    def _learning(self) -> dict[str, object]:
        return {
            "max_train_epochs": self.max_train_epochs,
            "train_batch_size": self.train_batch_size,
            "learning_rate": self.unet_lr,
            "unet_lr": self.unet_lr,
            "text_encoder_lr": self.text_encoder_lr or None,
            "optimizer_type": self.optimizer_type,
            "lr_scheduler": self.lr_scheduler,
            "lr_warmup_steps": self.lr_warmup,
            "min_snr_gamma": self.min_snr_gamma or None,
            "noise_offset": self.noise_offset or None,
            "prior_loss_weight": self.prior_loss_weight,
            "seed": self.seed,
        }

    def _keeping(self) -> dict[str, object]:
        """What is written, and how it is told. Two states are kept: the newest may be half written."""
        return {
            "output_dir": self.output_dir,
            "output_name": self.output_name,
            "save_model_as": "safetensors",
            "save_precision": "fp16",
            "save_every_n_epochs": 1,
            "save_state": True,
            "save_last_n_epochs_state": 2,
            "resume": self.resume and self.resume.folder,
            "initial_epoch": self.resume and self.resume.epoch + 1,
            "training_comment": COMMENT,
            "console_log_simple": True,
        }

    def _optimizer_args(self) -> tuple[str, ...]:
        if self.optimizer_type != "Prodigy":
            return ()
        return ("--optimizer_args", "decouple=True", "weight_decay=0.01", "use_bias_correction=True")

"""The adapter as a file in the layout of kohya's trainer, which every WebUI reads.

Keys and metadata after the kohya contract notes: ``lora_unet_<layer, underscored>.lora_down.weight``,
``.lora_up.weight`` and ``.alpha``; ``ss_*`` and ``modelspec.*`` as text. Nothing in it names a person, photo or folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from safetensors.torch import save

from training.embedded.methods.teaching import Tensors
from training.embedded.plan import LearningPlan
from training.port import TrainingRequest

OPTIMIZERS = {
    "adamw": "torch.optim.adamw.AdamW",
    "adamw8bit": "bitsandbytes.optim.adamw.AdamW8bit",
    "prodigy": "prodigyopt.prodigy.Prodigy",
}


class WeightsNotNumbers(Exception):
    """What was learned has weights that are infinite or not a number, and is not written."""

    def __init__(self) -> None:
        super().__init__("what was learned has weights that are no numbers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the metadata tells of a training.

    steps: learned so far. prediction: "epsilon" or "v_prediction". loss: the last, smoothed. about: the method's own
    part.
    """

    request: TrainingRequest
    plan: LearningPlan
    steps: int
    prediction: str
    started_at: datetime
    loss: float | None
    about: Mapping[str, str]


def metadata(provenance: Provenance, tensors: Tensors) -> dict[str, str]:
    """``ss_*`` and ``modelspec.*`` for a file of tensors."""
    request, plan = provenance.request, provenance.plan
    trigger = f"{request.instance_token} {request.class_noun}".strip()
    now = datetime.now(UTC)
    content_hash = _tensor_hash(tensors)
    size = f"{plan.sizes[0][0]}x{plan.sizes[0][1]}"
    return {
        "ss_base_model_version": "sd_v1",
        "ss_v2": "False",
        "ss_sd_model_name": request.checkpoint.name,
        "ss_output_name": request.output.stem,
        "ss_resolution": str(plan.sizes[0]),
        "ss_num_train_images": str(len(request.photos)),
        "ss_tag_frequency": json.dumps({trigger: {trigger: len(request.photos)}}),
        "ss_steps": str(provenance.steps),
        "ss_max_train_steps": str(plan.steps),
        "ss_total_batch_size": str(plan.batch_size),
        "ss_unet_lr": str(plan.learning_rate),
        "ss_learning_rate": str(plan.learning_rate),
        "ss_optimizer": OPTIMIZERS[plan.method.optimizer],
        "ss_prior_loss_weight": str(plan.method.prior_loss_weight),
        "ss_text_encoder_lr": str(plan.text_rate if plan.method.text_encoder else 0.0),
        "ss_lr_scheduler": "cosine",
        "ss_lr_warmup_steps": str(plan.warmup_steps),
        "ss_min_snr_gamma": str(plan.snr_gamma),
        "ss_noise_offset": str(plan.noise_offset),
        "ss_caption_dropout_rate": str(plan.caption_dropout),
        "ss_mixed_precision": "no",
        "ss_cache_latents": "True",
        "ss_seed": str(plan.seed),
        "ss_loss_type": "l2",
        "ss_training_started_at": str(provenance.started_at.timestamp()),
        "ss_training_finished_at": str(now.timestamp()),
        "ss_training_comment": f"Sajin embedded trainer, {plan.method.name}, final loss {provenance.loss}",
        "sshs_model_hash": content_hash,
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.implementation": "diffusers",
        "modelspec.title": request.output.stem,
        "modelspec.resolution": size,
        "modelspec.prediction_type": "v" if provenance.prediction == "v_prediction" else "epsilon",
        "modelspec.trigger_phrase": trigger,
        "modelspec.date": now.isoformat(timespec="seconds"),
        "modelspec.hash_sha256": f"0x{content_hash}",
    } | dict(provenance.about)


def _tensor_hash(tensors: Tensors) -> str:
    """SHA-256 of the tensors as they lie in the file, after its header: A1111's hash of a LoRA."""
    data = save(tensors)
    header_length = int.from_bytes(data[:8], "little")
    return hashlib.sha256(data[8 + header_length :]).hexdigest()


def write_adapter(path: Path, tensors: Tensors, about: Mapping[str, str]) -> str:
    """Write the file whole or not at all; its SHA-256 in hexadecimal digits. Raises WeightsNotNumbers."""
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise WeightsNotNumbers
    data = save(tensors, metadata=dict(about))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return hashlib.sha256(data).hexdigest()

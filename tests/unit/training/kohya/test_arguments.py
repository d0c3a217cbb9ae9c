"""The arguments: checked before the start, and spelled as the script takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.stand_ins.sd_scripts.train_network import parser
from training.kohya.arguments import KohyaArguments, State
from training.kohya.checkpoint import Family


def arguments(**changes: Any) -> KohyaArguments:
    fields: dict[str, Any] = {
        "family": Family.SD15,
        "checkpoint": Path("/models/my model.safetensors"),
        "dataset_config": Path("/learn/dataset.toml"),
        "output_dir": Path("/learn/output"),
        "output_name": "adapter",
        "max_train_epochs": 10,
        "resolution": 512,
    }
    return KohyaArguments(**(fields | changes))


STATE = State(folder=Path("/learn/output/adapter-000002-state"), epoch=2)
SDXL: dict[str, Any] = {"family": Family.SDXL, "resolution": 1024, "text_encoder_lr": 0.0}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"resolution": 500}, "multiple of 64"),
        ({"resolution": 1024}, "from 64 to 768"),
        ({**SDXL, "resolution": 192}, "from 256 to 1536"),
        ({"network_dim": 0}, "network_dim"),
        ({"network_dim": 8, "network_alpha": 16}, "network_alpha"),
        ({"unet_lr": 0.5}, "0.01"),
        ({"optimizer_type": "Prodigy"}, "learning rates of 1"),
        ({"optimizer_type": "Magic"}, "optimizer_type"),
        ({"lr_warmup": 0.9}, "lr_warmup"),
        ({"max_train_epochs": 0}, "max_train_epochs"),
        ({"resume": State(folder=Path("state"), epoch=10)}, "the last epoch"),
        ({"train_batch_size": 99}, "train_batch_size"),
        ({"family": Family.SDXL, "resolution": 1024}, "U-Net alone"),
        ({**SDXL, "clip_skip": 2}, "no clip_skip"),
        ({"output_name": "../adapter"}, "output_name"),
        ({"seed": -1}, "seed"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_out_of_range_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        arguments(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"resume": STATE, "clip_skip": 2, "gradient_checkpointing": True, "lr_warmup": 0.02},
        {"optimizer_type": "Prodigy", "unet_lr": 1.0, "text_encoder_lr": 1.0},
        {"text_encoder_lr": 0.0, "min_snr_gamma": 0, "noise_offset": 0},
        SDXL,
    ],
)
def test_the_script_takes_the_command_line(changes: dict[str, Any]) -> None:
    asked = arguments(**changes)
    taken = parser(sdxl=asked.family is Family.SDXL).parse_args(asked.command_line())

    assert taken.pretrained_model_name_or_path == "/models/my model.safetensors"
    assert (taken.network_module, taken.max_train_epochs) == ("networks.lora", 10)
    assert taken.network_train_unet_only is (asked.text_encoder_lr == 0)
    assert (taken.resume, taken.initial_epoch) == ((str(STATE.folder), 3) if asked.resume else (None, None))
    assert taken.console_log_simple


def test_sdxl_keeps_its_autoencoder_in_single_precision_and_its_text_encoders_out() -> None:
    words = arguments(**SDXL).command_line()

    assert {"--no_half_vae", "--cache_text_encoder_outputs", "--network_train_unet_only"} <= set(words)
    assert not [word for word in words if word.startswith("--text_encoder_lr")]

"""The kohya trainer with the real sd-scripts, where SAJIN_TEST_KOHYA names its folder.

SAJIN_TEST_KOHYA_PYTHON names its Python if that is not venv/bin/python in the folder. The checkpoint is a random one of
the size of Stable Diffusion 1.5, which takes 2 GB of disk and 7 GB of memory; the pictures are small, so that a machine
without a graphics card does in minutes.
"""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open

from tests.stand_ins.kohya import request_of_three
from training.errors import TrainingFailed
from training.kohya import Installation, KohyaTrainer
from training.kohya.arguments import RULES, FamilyRules
from training.kohya.checkpoint import Family
from training.port import TrainingPhase, TrainingProgress, TrainingRequest

FOLDER = os.environ.get("SAJIN_TEST_KOHYA")
EPOCH = 6
CLIP_WORDS = 49408
LARGEST_FILE = 4_000_000

pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="SAJIN_TEST_KOHYA does not name a folder of sd-scripts"),
    pytest.mark.timeout(3600),
    pytest.mark.xdist_group("kohya_real"),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusers folder of random weights in half precision, of Stable Diffusion 1.5's shapes."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    from tests.unit.webui_engine.small_models import TOKENIZER

    folder = tmp_path_factory.mktemp("checkpoint") / "random-sd15"
    torch.manual_seed(0)
    channels = (128, 256, 512, 512)
    text = CLIPTextConfig(
        vocab_size=CLIP_WORDS,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        projection_dim=768,
    )
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=channels,
            down_block_types=("DownEncoderBlock2D",) * len(channels),
            up_block_types=("UpDecoderBlock2D",) * len(channels),
            layers_per_block=2,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER, local_files_only=True),
        unet=UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8),
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float16).save_pretrained(folder)
    return folder


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> KohyaTrainer:
    assert FOLDER is not None
    small = FamilyRules(RULES[Family.SD15].script, resolution=64, smallest=64, largest=64)
    monkeypatch.setitem(RULES, Family.SD15, small)
    python = os.environ.get("SAJIN_TEST_KOHYA_PYTHON", f"{FOLDER}/venv/bin/python")
    return KohyaTrainer(Installation(Path(FOLDER), Path(python)))


@pytest.fixture
def request_of_three_epochs(checkpoint: Path, tmp_path: Path) -> TrainingRequest:
    return replace(request_of_three(tmp_path, steps=3 * EPOCH), checkpoint=checkpoint)


class Killed(Exception):
    """Stands for the death of the trainer's own process."""


def test_sd_scripts_learns_dies_and_goes_on_to_the_steps_that_were_asked_for(
    trainer: KohyaTrainer, request_of_three_epochs: TrainingRequest
) -> None:
    told: list[TrainingProgress] = []

    def die_in_the_second_epoch(progress: TrainingProgress) -> None:
        if progress.step > EPOCH:
            raise Killed

    with pytest.raises(Killed):
        trainer.train(request_of_three_epochs, die_in_the_second_epoch, lambda: False)
    adapter = trainer.train(request_of_three_epochs, told.append, lambda: False)

    learning = [progress for progress in told if progress.phase is TrainingPhase.LEARNING and progress.step]
    assert learning[0].step in (EPOCH, EPOCH + 1)
    assert {progress.steps for progress in learning} == {3 * EPOCH}
    assert (told[-1].step, adapter.steps) == (3 * EPOCH, 3 * EPOCH)
    assert list(dict.fromkeys(progress.phase for progress in told)) == list(TrainingPhase)
    assert [candidate.steps for candidate in adapter.candidates] == [EPOCH, 2 * EPOCH]
    with safe_open(adapter.path, framework="np") as stream:
        names, about = list(stream.keys()), stream.metadata()
    assert len(names) == 3 * (192 + 72)
    assert about["ss_base_model_version"] == "sd_v1"
    assert b"suit" not in adapter.path.read_bytes()


def test_a_full_disk_of_sd_scripts_is_told(
    trainer: KohyaTrainer, request_of_three_epochs: TrainingRequest
) -> None:
    """No file may grow beyond a size that the LoRA of the first epoch fits into and its state does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, hard))
    try:
        with pytest.raises(TrainingFailed, match="no room left"):
            trainer.train(request_of_three_epochs, lambda progress: None, lambda: False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not request_of_three_epochs.output.exists()

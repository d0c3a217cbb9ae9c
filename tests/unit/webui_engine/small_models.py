"""Small random models in Stable Diffusion 1's form, and a monitor that remembers what it was told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    MotionAdapter,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from webui_engine.tasks import GenerationTask

TOKENIZER = (
    Path(__file__).parents[3] / "webui_engine" / "models" / "Stable-diffusion" / "sajin-tiny" / "tokenizer"
)
TEXT_WIDTH = 64
MOTION_NAMES = (
    (r"(motion_modules\.\d+)", r"\1.temporal_transformer"),
    (r"\.norm1\.", ".norms.0."),
    (r"\.norm2\.", ".norms.1."),
    (r"\.norm3\.", ".ff_norm."),
    (r"\.attn1\.", ".attention_blocks.0."),
    (r"\.attn2\.", ".attention_blocks.1."),
)
"""diffusers' names for parts of a motion module, and its authors'."""
RRDB_BLOCKS, RRDB_WIDTH, RRDB_GROWTH = 1, 8, 32


def small_pipeline(seed: int = 0, *, in_channels: int = 4) -> StableDiffusionPipeline:
    torch.manual_seed(seed)
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER, local_files_only=True)
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=8,
    )
    autoencoder = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        sample_size=64,
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=1,
            projection_dim=TEXT_WIDTH,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        clip_sample=False,
        set_alpha_to_one=False,
    )
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save_small_checkpoint(folder: Path, seed: int = 0, *, in_channels: int = 4) -> StableDiffusionPipeline:
    pipeline = small_pipeline(seed, in_channels=in_channels)
    pipeline.save_pretrained(folder)
    return pipeline


def small_motion_adapter(seed: int = 0) -> MotionAdapter:
    """A motion module for the small checkpoint; it moves things, for its weights are random throughout."""
    torch.manual_seed(seed)
    return MotionAdapter(
        block_out_channels=(32, 64),
        motion_layers_per_block=1,
        motion_num_attention_heads=8,
        use_motion_mid_block=True,
    )


def save_small_motion_module(path: Path, adapter: MotionAdapter) -> Path:
    """Write adapter as AnimateDiff's authors do: one file, their names for its tensors."""
    tensors = {}
    for name, tensor in adapter.state_dict().items():
        for ours, theirs in MOTION_NAMES:
            name = re.sub(ours, theirs, name)  # noqa: PLW2901
        tensors[name] = tensor.contiguous()
    places = next(tensor for name, tensor in tensors.items() if name.endswith("pos_embed.pe"))
    blocks = {
        name.rpartition(".attention_blocks.0.")[0] for name in tensors if ".attention_blocks.0." in name
    }
    tensors = {name: tensor for name, tensor in tensors.items() if "pos_embed" not in name}
    for block in blocks:
        for attention in (0, 1):
            tensors[f"{block}.attention_blocks.{attention}.pos_encoder.pe"] = places.clone()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def rrdb_state() -> dict[str, torch.Tensor]:
    """A random network of Wang et al. 2018 that enlarges four times, under the keys of its authors' files."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def convolution(name: str, inputs: int, outputs: int) -> None:
        state[f"{name}.weight"] = torch.randn(outputs, inputs, 3, 3) * 0.05
        state[f"{name}.bias"] = torch.zeros(outputs)

    convolution("model.0", 3, RRDB_WIDTH)
    for dense in (1, 2, 3):
        for layer in range(1, 6):
            outputs = RRDB_GROWTH if layer < 5 else RRDB_WIDTH
            convolution(
                f"model.1.sub.0.RDB{dense}.conv{layer}.0", RRDB_WIDTH + RRDB_GROWTH * (layer - 1), outputs
            )
    convolution(f"model.1.sub.{RRDB_BLOCKS}", RRDB_WIDTH, RRDB_WIDTH)
    for name, outputs in (
        ("model.3", RRDB_WIDTH),
        ("model.6", RRDB_WIDTH),
        ("model.8", RRDB_WIDTH),
        ("model.10", 3),
    ):
        convolution(name, RRDB_WIDTH, outputs)
    return state


def pixels(image: Image.Image) -> NDArray[np.int16]:
    return np.array(image).astype(np.int16)


def small_task(**changes: Any) -> GenerationTask:
    task = GenerationTask(prompt="portrait of a woman", seed=11, steps=4, width=64, height=64)
    return replace(task, **changes)


@dataclass
class Recorder:
    """A monitor that writes down what it is told; stop_at: the step (from 1) after which it asks for a stop."""

    wants_preview: bool = False
    stop_at: int | None = None
    skip_at: int | None = None
    events: list[tuple[Any, ...]] = field(default_factory=list)
    previews: list[Image.Image] = field(default_factory=list)
    interrupted: bool = False
    skipped: bool = False

    def begin(self, *, jobs: int, steps: int) -> None:
        self.events.append(("begin", jobs, steps))

    def job(self, number: int, *, steps: int) -> None:
        self.skipped = False
        self.events.append(("job", number, steps))

    def step(self, number: int, preview: Image.Image | None) -> None:
        self.events.append(("step", number))
        if preview is not None:
            self.previews.append(preview)
        self.interrupted = self.interrupted or number == self.stop_at
        self.skipped = number == self.skip_at

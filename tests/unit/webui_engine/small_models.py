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
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

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
TEXT_WIDTH_2 = 128
"""Of the second text encoder of SDXL; both are read side by side."""
RRDB_BLOCKS, RRDB_WIDTH, RRDB_GROWTH = 1, 8, 32


def _text_config(tokenizer: CLIPTokenizer, **changes: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        **{
            "vocab_size": len(tokenizer),
            "hidden_size": TEXT_WIDTH,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 1,
            "projection_dim": TEXT_WIDTH,
            "hidden_act": "quick_gelu",
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            **changes,
        }
    )


def _text_config_2(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return _text_config(
        tokenizer,
        hidden_size=TEXT_WIDTH_2,
        projection_dim=TEXT_WIDTH_2,
        num_attention_heads=2,
        hidden_act="gelu",
    )


def _scheduler() -> DDIMScheduler:
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        clip_sample=False,
        set_alpha_to_one=False,
    )


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
    text_encoder = CLIPTextModel(_text_config(tokenizer))
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def small_pipeline_xl(seed: int = 0) -> StableDiffusionXLPipeline:
    """Random networks in Stable Diffusion XL's form: two text encoders, conditions on sizes."""
    torch.manual_seed(seed)
    first = CLIPTokenizer.from_pretrained(TOKENIZER, local_files_only=True)
    second = CLIPTokenizer.from_pretrained(TOKENIZER, local_files_only=True, pad_token="!")
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=2,
        transformer_layers_per_block=(1, 2),
        cross_attention_dim=TEXT_WIDTH + TEXT_WIDTH_2,
        attention_head_dim=(1, 1),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=TEXT_WIDTH_2 + 6 * 256,
    )
    autoencoder = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        sample_size=64,
        scaling_factor=0.13025,
    )
    return StableDiffusionXLPipeline(
        vae=autoencoder,
        text_encoder=CLIPTextModel(_text_config(first)).eval(),
        text_encoder_2=CLIPTextModelWithProjection(_text_config_2(second)).eval(),
        tokenizer=first,
        tokenizer_2=second,
        unet=unet,
        scheduler=_scheduler(),
        add_watermarker=False,
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


def save_small_ip_adapter(
    models: Path, name: str, unet: UNet2DConditionModel, *, width: int = TEXT_WIDTH
) -> None:
    """A random IP-Adapter for the denoiser, and a random picture encoder, where the engine looks for both.

    width: of the text encoder that the adapter is made for.
    """
    torch.manual_seed(1)
    config = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=16,
        image_size=32,
        patch_size=8,
        projection_dim=16,
        hidden_act="gelu",
    )
    encoder = CLIPVisionModelWithProjection(config)
    (models / "clip_vision").mkdir(parents=True, exist_ok=True)
    save_file(encoder.state_dict(), models / "clip_vision" / "clip_h.safetensors")
    tokens = 4
    state = {
        "image_proj.proj.weight": torch.randn(tokens * width, 16),
        "image_proj.proj.bias": torch.zeros(tokens * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    attentions = [key for key in unet.attn_processors if key.endswith("attn2.processor")]
    for number, key in enumerate(attentions):
        inner = unet.get_submodule(key.removesuffix(".processor")).to_k.out_features
        for part in ("to_k_ip", "to_v_ip"):
            state[f"ip_adapter.{2 * number + 1}.{part}.weight"] = torch.randn(inner, width) * 0.2
    (models / "ControlNet").mkdir(exist_ok=True)
    save_file(state, models / "ControlNet" / f"{name}.safetensors")


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

"""A checkpoint in memory: diffusers' networks and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from diffusers import (
    AutoencoderKL,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from webui_engine.device import Device
from webui_engine.diffusion.checkpoints import CheckpointInfo

Pipeline: TypeAlias = StableDiffusionPipeline | StableDiffusionXLPipeline
TextEncoder: TypeAlias = CLIPTextModel | CLIPTextModelWithProjection


@dataclass(frozen=True, slots=True)
class Model:
    """The networks of one checkpoint on their device. The pipeline is diffusers' own and holds them."""

    info: CheckpointInfo
    pipeline: Pipeline
    device: Device

    @property
    def unet(self) -> UNet2DConditionModel:
        """The denoiser."""
        return self.pipeline.unet

    @property
    def vae(self) -> AutoencoderKL:
        """The autoencoder in use, which may be an override."""
        return self.pipeline.vae

    @property
    def is_sdxl(self) -> bool:
        """Whether it is one of Stable Diffusion XL's kind, with two text encoders and conditions on sizes."""
        return isinstance(self.pipeline, StableDiffusionXLPipeline)

    @property
    def text_encoder(self) -> CLIPTextModel:
        """The text encoder, the first of two."""
        return self.pipeline.text_encoder

    @property
    def text_parts(self) -> tuple[tuple[CLIPTokenizer, TextEncoder], ...]:
        """Each text encoder with its tokenizer."""
        first = self.pipeline.tokenizer, self.pipeline.text_encoder
        return (
            (first, (self.pipeline.tokenizer_2, self.pipeline.text_encoder_2)) if self.is_sdxl else (first,)
        )

    @property
    def embedding_width(self) -> int | None:
        """The width of the textual-inversion embeddings that fit it; None for SDXL, which takes none here."""
        return None if self.is_sdxl else int(self.text_encoder.config.hidden_size)

    @property
    def tokenizer(self) -> CLIPTokenizer:
        """The tokenizer of the text encoder."""
        return self.pipeline.tokenizer

    @property
    def scheduler_config(self) -> Mapping[str, Any]:
        """The checkpoint's own scheduler configuration."""
        return dict(self.pipeline.scheduler.config)

    @property
    def latent_channels(self) -> int:
        """Channels of a latent: 4 in Stable Diffusion 1, 8 in the bundled model."""
        return int(self.vae.config.latent_channels)

    @property
    def stride(self) -> int:
        """Pixels per latent cell."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def native_size(self) -> int:
        """The side of the pictures it was trained on, in pixels."""
        size = self.unet.config.sample_size
        return int(size if isinstance(size, int) else min(size)) * self.stride

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channels, height, width) of the latent of a picture of width by height pixels."""
        return self.latent_channels, height // self.stride, width // self.stride

    def to_latent_device(self, tensor: torch.Tensor) -> torch.Tensor:
        """tensor on the networks' device and in their precision."""
        return tensor.to(self.device.place, self.device.dtype)

"""Pictures to latents and back through the model's autoencoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from torch.nn import functional

from webui_engine.device import memory_guard
from webui_engine.diffusion.model import Model
from webui_engine.errors import NotANumber

_PREVIEW_CELLS = 16


def encode(model: Model, pictures: Sequence[Image.Image]) -> torch.Tensor:
    """RGB pictures of one size, multiples of the model's stride, to latents (count, channels, h, w).

    The mean of the encoder's distribution is taken, so that a seed decides everything.
    """
    with memory_guard("encoding a picture"):
        pixels = _processor(model).preprocess(list(pictures)).to(model.device.place, model.vae.dtype)
        latents = torch.cat([model.vae.encode(picture).latent_dist.mode() for picture in pixels.unsqueeze(1)])
    return _scaled(model, latents).to(model.unet.dtype)


def decode(model: Model, latents: torch.Tensor) -> list[Image.Image]:
    """Latents (count, channels, h, w) to RGB pictures, one after the other to bound the memory."""
    with memory_guard("decoding a picture"):
        return [_decode_one(model, latent) for latent in latents.unsqueeze(1)]


def _decode_one(model: Model, latent: torch.Tensor) -> Image.Image:
    pixels = model.vae.decode(_unscaled(model, latent).to(model.vae.dtype), return_dict=False)[0]
    if not bool(torch.isfinite(pixels).all()):
        pixels = _decode_in_single_precision(model, latent)
    picture: Image.Image = _processor(model).postprocess(pixels, output_type="pil")[0]
    return picture


def _decode_in_single_precision(model: Model, latent: torch.Tensor) -> torch.Tensor:
    """What half precision could not hold; the autoencoder stays in single precision from then on, as in A1111."""
    if model.vae.dtype == torch.float32:
        raise NotANumber("vae")
    model.vae.to(torch.float32)
    pixels: torch.Tensor = model.vae.decode(_unscaled(model, latent).float(), return_dict=False)[0]
    if not bool(torch.isfinite(pixels).all()):
        raise NotANumber("vae")
    return pixels


def preview(model: Model, latents: torch.Tensor) -> Image.Image:
    """A small picture of the first of latents (batch, channels, h, w), cheap enough for a look while sampling."""
    latent = latents[:1].to(model.device.place, model.unet.dtype)
    longest = max(latent.shape[-2:])
    if longest > _PREVIEW_CELLS:
        latent = functional.interpolate(latent, scale_factor=_PREVIEW_CELLS / longest, mode="area")
    with torch.inference_mode():
        return decode(model, latent)[0]


def _scaled(model: Model, latents: torch.Tensor) -> torch.Tensor:
    shift = model.vae.config.get("shift_factor") or 0.0
    scaled: torch.Tensor = (latents - shift) * model.vae.config.scaling_factor
    return scaled


def _unscaled(model: Model, latents: torch.Tensor) -> torch.Tensor:
    shift = model.vae.config.get("shift_factor") or 0.0
    plain: torch.Tensor = latents / model.vae.config.scaling_factor
    return plain + shift if shift else plain


def _processor(model: Model) -> VaeImageProcessor:
    return VaeImageProcessor(vae_scale_factor=model.stride)

"""Small random models under the names that the recorded server had, so that its requests can be sent again."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import ControlNetModel
from safetensors.torch import save_file

from tests.unit.webui_engine.small_models import (
    TEXT_WIDTH,
    save_small_checkpoint,
    save_small_motion_module,
    small_motion_adapter,
)

CONTROLNETS = ("control_v11f1e_sd15_tile", "control_v11p_sd15_canny", "control_v11p_sd15_openpose")
STYLES = 'name,prompt,negative_prompt\nmystyle,"cinematic photo of {prompt}, 35mm","blurry, lowres"\n'
RANK = 2
UNET_WIDTH = 32


def build(models: Path) -> None:
    """Two checkpoints, an autoencoder, three ControlNets, a motion module, a LoRA and an embedding below models."""
    pipeline = save_small_checkpoint(models / "Stable-diffusion" / "tiny-random-a")
    save_small_checkpoint(models / "Stable-diffusion" / "tiny-random-b", seed=1)
    (models / "Stable-diffusion" / "corrupt.safetensors").write_bytes(b"\xff" * 64)
    pipeline.vae.save_pretrained(models / "VAE" / "tinyvae.safetensors")
    network = ControlNetModel.from_unet(pipeline.unet)
    for name in CONTROLNETS:
        network.save_pretrained(models / "ControlNet" / name)
    save_small_motion_module(models / "animatediff" / "mm_sd15_v3.safetensors", small_motion_adapter())
    save_lora(models / "Lora" / "tinylora.safetensors")
    embedding = models / "embeddings" / "tinyemb.safetensors"
    embedding.parent.mkdir(parents=True)
    save_file({"emb_params": torch.randn(2, TEXT_WIDTH)}, embedding)


def save_lora(path: Path, strength: float = 0.01) -> None:
    """A LoRA in kohya's layout on one projection of the small denoiser."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    tensors = {
        f"{stem}.lora_down.weight": torch.randn(RANK, UNET_WIDTH) * strength,
        f"{stem}.lora_up.weight": torch.randn(UNET_WIDTH, RANK) * strength,
        f"{stem}.alpha": torch.tensor(float(RANK)),
    }
    save_file(tensors, path, metadata={"ss_output_name": "tinylora", "ss_network_dim": str(RANK)})

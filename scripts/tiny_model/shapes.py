"""The sizes of the networks of sajin-tiny, in the classes and the form of Stable Diffusion 1."""

from __future__ import annotations

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    MotionAdapter,
    UNet2DConditionModel,
    UNetMotionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from .vocabulary import MAX_TOKENS

NATIVE_SIZE = 128
STRIDE = 8
LATENT_CHANNELS = 16
TEXT_WIDTH = 160
TEXT_LAYERS = 4
UNET_CHANNELS = (96, 192)
CONDITIONING_CHANNELS = (16, 24, 32, 64)
LONGEST_CLIP = 32
NEARNESS = 1.5


def build_autoencoder() -> AutoencoderKL:
    """Pictures (3, height, width) in -1..1 to latents (16, height / 8, width / 8) and back."""
    return AutoencoderKL(
        block_out_channels=(32, 64, 96, 128),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=NATIVE_SIZE,
        mid_block_add_attention=False,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """77 tokens to 77 vectors of TEXT_WIDTH."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=TEXT_WIDTH * 4,
            projection_dim=TEXT_WIDTH,
            num_hidden_layers=TEXT_LAYERS,
            num_attention_heads=TEXT_WIDTH // 32,
            max_position_embeddings=MAX_TOKENS,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def build_unet() -> UNet2DConditionModel:
    """The denoiser: latents, step and text to the velocity of the latents (v-prediction).

    Attention, which takes most of the time at full latent size, works on the halved one, where it sees everything.
    """
    return UNet2DConditionModel(
        sample_size=NATIVE_SIZE // STRIDE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=UNET_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=32,
    )


def build_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet that begins with unet's weights and sees a control picture of STRIDE times its size.

    Zhang, Rao & Agrawala 2023; the embedding of the control picture halves it once per channel step. Its last layer
    does not begin at zero as theirs: the outputs do, which is enough to begin without effect.
    """
    controlnet = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=CONDITIONING_CHANNELS)
    controlnet.controlnet_cond_embedding.conv_out.reset_parameters()
    return controlnet


def build_motion_adapter() -> MotionAdapter:
    """The motion module: attention over the frames of a clip, at every place by itself (Guo et al. 2023).

    It stands behind every layer of the denoiser but the middle ones, as in the third version of AnimateDiff's.
    """
    return MotionAdapter(
        block_out_channels=UNET_CHANNELS,
        motion_layers_per_block=1,
        motion_num_attention_heads=4,
        motion_norm_num_groups=32,
        motion_max_seq_length=LONGEST_CLIP,
        use_motion_mid_block=False,
    )


def build_motion_unet(unet: UNet2DConditionModel) -> UNetMotionModel:
    """The denoiser of clips: unet's weights and a new motion module, which changes nothing: it ends in zeros.

    Its attention begins with a frame's own neighbourhood, so that the number of a frame, which it has from its queries
    and keys alone, makes a difference from the first step of training.
    """
    network = UNetMotionModel.from_unet2d(unet, build_motion_adapter())
    for name, parameter in network.named_parameters():
        if "motion_modules" not in name:
            continue
        if ".proj_out." in name:
            torch.nn.init.zeros_(parameter)
        elif name.endswith((".to_q.weight", ".to_k.weight")):
            parameter.data = NEARNESS * torch.eye(len(parameter))
    return network


def build_scheduler() -> DDIMScheduler:
    """The noise schedule all parts share: Stable Diffusion's betas, v-prediction, 1000 steps."""
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="trailing",
    )

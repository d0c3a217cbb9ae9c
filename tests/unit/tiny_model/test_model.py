"""The model that is shipped: its size, its shapes, and whether it follows prompt and pose."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
)
from numpy.typing import NDArray
from PIL import Image

from studio.settings import REPOSITORY
from tiny_model import sampling
from tiny_model.measure import Obedience, measure, wishes
from tiny_model.package import CHECKPOINT, CONTROLNETS, folder_megabytes, load_pipeline
from tiny_model.shapes import NATIVE_SIZE

MODELS = REPOSITORY / "webui_engine" / "models"
POSES = REPOSITORY / "presets" / "poses"
GREATEST_MEGABYTES = 48.0
OBEDIENCE_REACHED = 0.85
"""Share of right colours in the right place that the shipped weights reach; the goal is 0.85 (docs/tiny-model.md)."""

pytestmark = pytest.mark.xdist_group("tiny-model")


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    torch.set_num_threads(1)
    return load_pipeline(MODELS)


@pytest.fixture(scope="module")
def obedience(pipeline: StableDiffusionPipeline) -> Obedience:
    asked = wishes()
    return measure(sampling.sample(pipeline, [wish.prompt for wish in asked]), asked)


def test_checkpoint_and_controlnets_fit_into_48_megabytes() -> None:
    folders = MODELS / CHECKPOINT.parent, MODELS / CONTROLNETS
    assert sum(map(folder_megabytes, folders)) <= GREATEST_MEGABYTES


def test_the_folder_says_that_it_is_a_demonstration() -> None:
    about = json.loads((MODELS / CHECKPOINT / "sajin.json").read_text())
    assert about["demonstration"] is True
    assert about["native_size"] == NATIVE_SIZE


def test_weights_are_stored_in_half_precision() -> None:
    half = load_pipeline(MODELS, torch.float16)
    files = sum(file.stat().st_size for file in (MODELS / CHECKPOINT / "unet").glob("*.safetensors"))
    assert files == pytest.approx(2 * sum(weight.numel() for weight in half.unet.parameters()), rel=0.02)


@pytest.mark.timeout(240)
def test_the_right_colours_are_in_the_right_places(obedience: Obedience) -> None:
    assert obedience.overall >= OBEDIENCE_REACHED, obedience


def test_the_same_seed_gives_the_same_picture(pipeline: StableDiffusionPipeline) -> None:
    first, second = (sampling.sample(pipeline, ["photo of a man, blue shirt"], steps=4)[0] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", ["openpose", "tile"])
def test_the_controlnets_fit_the_denoiser(pipeline: StableDiffusionPipeline, kind: str) -> None:
    controlnet = ControlNetModel.from_pretrained(
        MODELS / CONTROLNETS / f"sajin-tiny-{kind}", local_files_only=True
    )
    latents = torch.randn(1, pipeline.unet.config.in_channels, 16, 24)
    states = torch.randn(1, 77, pipeline.unet.config.cross_attention_dim)
    step = torch.tensor([500])
    with torch.inference_mode():
        down, mid = controlnet(
            latents, step, states, controlnet_cond=torch.rand(1, 3, 128, 192), return_dict=False
        )
        predicted = pipeline.unet(
            latents, step, states, down_block_additional_residuals=down, mid_block_additional_residual=mid
        ).sample
    assert predicted.shape == latents.shape
    assert max(float(one.abs().max()) for one in (*down, mid)) > 0


def test_the_pose_controlnet_puts_the_shoulders_where_the_skeleton_has_them(
    pipeline: StableDiffusionPipeline,
) -> None:
    controlnet = ControlNetModel.from_pretrained(
        MODELS / CONTROLNETS / "sajin-tiny-openpose", local_files_only=True
    ).float()
    posed = StableDiffusionControlNetPipeline.from_pipe(pipeline, controlnet=controlnet)
    posed.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    tops = {}
    for pose in ("front", "half-body"):
        with Image.open(POSES / f"{pose}.png") as file:
            skeleton = file.convert("RGB").resize((128, 192))
        picture = posed(
            "photo of a woman, brown hair, blue shirt, gray background, soft light",
            image=skeleton,
            width=128,
            height=192,
            num_inference_steps=15,
            guidance_scale=4,
            generator=torch.Generator().manual_seed(1),
            output_type="np",
        ).images[0]
        tops[pose] = top_of_blue(picture)
    drawn = {"front": 107, "half-body": 70}
    assert all(abs(tops[pose] - drawn[pose]) < 20 for pose in drawn), tops
    assert tops["front"] - tops["half-body"] > 15


def top_of_blue(picture: NDArray[np.float32]) -> int:
    """The first row with a good stretch of clearly blue pixels; picture: RGB in 0..1."""
    blue = picture[..., 2] - picture[..., :2].max(-1) > 0.15
    return int(np.nonzero(blue.sum(1) >= 12)[0][0])

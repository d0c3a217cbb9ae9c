"""Stable Diffusion XL: from a folder and from one file, told sizes, with its own LoRAs, ControlNets, adapters."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image
from safetensors.torch import save_file

from tests.unit.webui_engine.ldm_writer import write_ldm_file
from tests.unit.webui_engine.small_models import (
    TEXT_WIDTH,
    TEXT_WIDTH_2,
    TOKENIZER,
    Recorder,
    pixels,
    save_small_ip_adapter,
    small_pipeline_xl,
    small_task,
)
from training.embedded.networks import load_networks
from webui_engine.diffusion.engine import Engine
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.samplers import build_scheduler, find_sampler, find_schedule
from webui_engine.errors import CheckpointBroken
from webui_engine.tasks import AdapterUnit, ControlUnit, Hires

RED = Image.new("RGB", (64, 64), "red")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one random SDXL checkpoint as a folder and as a file, and what belongs to it."""
    models = tmp_path_factory.mktemp("xl")
    pipeline = small_pipeline_xl()
    pipeline.save_pretrained(models / "Stable-diffusion" / "folder")
    write_ldm_file(pipeline, models / "Stable-diffusion" / "single.safetensors")
    shutil.copytree(TOKENIZER, models / "tokenizer")
    save_small_ip_adapter(models, "ip-adapter_sdxl_vit-h", pipeline.unet, width=TEXT_WIDTH + TEXT_WIDTH_2)
    network = ControlNetModel.from_unet(pipeline.unet, conditioning_embedding_out_channels=(16, 16, 32, 32))
    for layer in (*network.controlnet_down_blocks, network.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight, 0, 0.1)
    network.save_pretrained(models / "ControlNet" / "canny-sdxl")
    (models / "Lora").mkdir()
    save_file(kohya_lora(), models / "Lora" / "person.safetensors")
    return models


def kohya_lora() -> dict[str, torch.Tensor]:
    """A random LoRA in the key names of kohya's trainer for SDXL, which follow the original checkpoint."""
    torch.manual_seed(3)
    attention = "input_blocks_4_1_transformer_blocks_1_attn2"
    modules = {
        f"lora_unet_{attention}_to_k": (TEXT_WIDTH + TEXT_WIDTH_2, 64),
        f"lora_unet_{attention}_to_q": (64, 64),
        "lora_te1_text_model_encoder_layers_0_self_attn_q_proj": (TEXT_WIDTH, TEXT_WIDTH),
        "lora_te2_text_model_encoder_layers_0_self_attn_q_proj": (TEXT_WIDTH_2, TEXT_WIDTH_2),
    }
    state = {}
    for name, (inputs, outputs) in modules.items():
        state[f"{name}.lora_down.weight"] = torch.randn(2, inputs)
        state[f"{name}.lora_up.weight"] = torch.randn(outputs, 2)
        state[f"{name}.alpha"] = torch.tensor(2.0)
    return state


@pytest.fixture(scope="module")
def engine(models: Path) -> Engine:
    engine = Engine([models], device="cpu")
    engine.load("folder")
    return engine


def made(engine: Engine, **changes: Any) -> np.ndarray[Any, Any]:
    return pixels(engine.generate(small_task(steps=2, **changes), Recorder()).pictures[0].image)


@pytest.mark.parametrize("negative", ["", "blurry"])
def test_a_plain_picture_is_bit_for_bit_that_of_the_diffusers_pipeline(engine: Engine, negative: str) -> None:
    model = load_model(engine.loaded, engine._device, [])
    asked = small_task(sampler="Euler", steps=2)
    scheduler = build_scheduler(
        find_sampler("Euler"),
        find_schedule("Automatic"),
        asked.steps,
        model.scheduler_config,
        torch.device("cpu"),
    )
    model.pipeline.scheduler = scheduler
    model.pipeline.set_progress_bar_config(disable=True)
    theirs = model.pipeline(
        prompt=asked.prompt,
        negative_prompt=negative or None,
        num_inference_steps=asked.steps,
        guidance_scale=asked.cfg_scale,
        width=asked.width,
        height=asked.height,
        generator=torch.Generator().manual_seed(asked.seed),
    ).images[0]
    assert np.array_equal(made(engine, sampler="Euler", negative_prompt=negative), pixels(theirs))


def test_one_file_makes_the_same_picture_as_the_folder(engine: Engine, models: Path) -> None:
    """But for a rounding: the file holds queries, keys and values of the second text encoder as one."""
    single = Engine([models], device="cpu")
    single.load("single")
    assert np.abs(made(single) - made(engine)).max() <= 1


def test_it_is_told_how_its_picture_was_cropped(engine: Engine) -> None:
    assert (made(engine) != made(engine, crop=(16, 0))).any()


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 2, "prompt": "a AND b"},
        {"cfg_scale": 1.0, "prompt": "a, " * 90},
        {"hires": Hires(scale=1.5)},
        {"init_images": (RED,)},
    ],
)
def test_everything_that_works_on_other_checkpoints_works(engine: Engine, changes: dict[str, Any]) -> None:
    result = engine.generate(small_task(steps=2, **changes), Recorder())
    assert len(result.pictures) == changes.get("batch_size", 1)
    assert np.ptp(pixels(result.pictures[0].image)) > 0


def test_a_lora_in_sdxls_key_names_changes_all_three_networks(engine: Engine) -> None:
    plain = made(engine)
    whole, text, unet = (
        made(engine, prompt=f"portrait of a woman <lora:person:{weights}>") for weights in ("1", "1:0", "0:1")
    )
    assert (whole != plain).any()
    assert (text != plain).any()
    assert (unet != plain).any()
    assert (whole != unet).any()
    assert (made(engine) == plain).all()


def test_a_controlnet_of_its_kind_steers_it(engine: Engine) -> None:
    unit = ControlUnit(model="canny-sdxl", hint=Image.linear_gradient("L").resize((64, 64)))
    assert (made(engine, control=(unit,)) != made(engine)).any()


def test_an_ip_adapter_of_its_kind_works_beside_a_controlnet(engine: Engine) -> None:
    unit = ControlUnit(model="canny-sdxl", hint=RED)
    adapter = AdapterUnit(model="ip-adapter_sdxl_vit-h", module="ip-adapter_clip_sd15", images=(RED,))
    assert (made(engine, control=(unit,), adapters=(adapter,)) != made(engine, control=(unit,))).any()


def test_the_embedded_trainer_says_that_it_does_not_learn_on_it(models: Path) -> None:
    with pytest.raises(CheckpointBroken, match="kohya"):
        load_networks(models / "Stable-diffusion" / "folder")


def test_it_has_no_textual_inversion_embeddings(engine: Engine, models: Path) -> None:
    (models / "embeddings").mkdir()
    save_file({"emb_params": torch.zeros(1, TEXT_WIDTH)}, models / "embeddings" / "face.safetensors")
    engine.refresh_embeddings()
    assert engine.embeddings() == ()
    assert [info.name for info in engine.skipped_embeddings()] == ["face"]

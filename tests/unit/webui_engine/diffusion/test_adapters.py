"""LoRAs and textual-inversion embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_kohya
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

from tests.unit.webui_engine.small_models import (
    TEXT_WIDTH,
    Recorder,
    pixels,
    save_small_checkpoint,
    small_pipeline,
    small_task,
)
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import Hires

STRENGTH = 0.3
"""How strong the random LoRAs are: a picture changes clearly, the network does not break."""


def random_lora(
    seed: int,
) -> tuple[StableDiffusionPipeline, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """A pipeline carrying a random LoRA, and its layers for the denoiser and for the text encoder (peft's keys)."""
    pipeline = small_pipeline()
    torch.manual_seed(seed)
    config = LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"], init_lora_weights=False)
    pipeline.unet.add_adapter(config)
    pipeline.text_encoder.add_adapter(
        LoraConfig(r=2, lora_alpha=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    )
    for network in (pipeline.unet, pipeline.text_encoder):
        for name, weight in network.named_parameters():
            if "lora_" in name:
                weight.data.normal_(0, STRENGTH)
    return (
        pipeline,
        get_peft_model_state_dict(pipeline.unet),
        get_peft_model_state_dict(pipeline.text_encoder),
    )


def text_keys(layers: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"text_model.{key.removeprefix('text_model.')}": value for key, value in layers.items()}


def write_kohya(path: Path, seed: int, metadata: dict[str, str] | None = None) -> None:
    _, unet, text = random_lora(seed)
    layers = {f"unet.{key}": value for key, value in unet.items()}
    layers |= {f"text_encoder.{key}": value for key, value in text_keys(text).items()}
    kohya = convert_state_dict_to_kohya(layers)
    save_file({key: value.contiguous() for key, value in kohya.items()}, path, metadata=metadata)


def write_diffusers(path: Path, seed: int) -> None:
    _, unet, text = random_lora(seed)
    StableDiffusionPipeline.save_lora_weights(
        path.parent,
        unet_lora_layers=convert_state_dict_to_diffusers(unet),
        text_encoder_lora_layers=convert_state_dict_to_diffusers(text_keys(text)),
        weight_name=path.name,
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("adapters")
    save_small_checkpoint(models / "Stable-diffusion" / "small")
    (models / "Lora" / "people").mkdir(parents=True)
    write_kohya(models / "Lora" / "people" / "anna.safetensors", 1, {"ss_output_name": "anna_v2"})
    write_diffusers(models / "Lora" / "style.safetensors", 2)
    (models / "Lora" / "broken.safetensors").write_bytes(b"nothing that could be read")
    save_file({"strange.key": torch.ones(2)}, models / "Lora" / "strange.safetensors")
    write_embeddings(models / "embeddings")
    return models


def write_embeddings(folder: Path) -> None:
    folder.mkdir()
    torch.manual_seed(9)
    vectors = torch.randn(2, TEXT_WIDTH)
    torch.save({"string_to_param": {"*": vectors}, "name": "two", "step": 500}, folder / "two-words.pt")
    save_file({"emb_params": vectors[:1].clone()}, folder / "oneword.safetensors")
    save_file({"emb_params": torch.randn(1, 768)}, folder / "foreign.safetensors")
    (folder / "broken.pt").write_bytes(b"nothing")


@pytest.fixture(scope="module")
def engine(models: Path) -> Engine:
    engine = Engine([models], device="cpu")
    engine.load("small")
    return engine


@pytest.fixture(autouse=True)
def untouched_checkpoint(engine: Engine) -> Iterator[None]:
    """Whatever a test did, a plain picture afterwards is the very same as before."""
    before = picture(engine, "portrait")
    yield
    assert np.array_equal(picture(engine, "portrait"), before)


def picture(engine: Engine, prompt: str, **changes: object) -> np.ndarray:
    return pixels(engine.generate(small_task(prompt=prompt, **changes), Recorder()).pictures[0].image)


def test_loras_are_listed_with_the_name_their_trainer_gave_them(engine: Engine) -> None:
    listed = {lora.name: lora.alias for lora in engine.loras()}

    assert listed == {"anna": "anna_v2", "broken": "broken", "strange": "strange", "style": "style"}


@pytest.mark.parametrize("name", ["anna", "anna_v2", "style"])
def test_a_lora_of_either_layout_changes_the_picture(engine: Engine, name: str) -> None:
    assert not np.array_equal(picture(engine, f"portrait<lora:{name}:1>"), picture(engine, "portrait"))


@pytest.mark.parametrize(("file", "seed"), [("anna", 1), ("style", 2)])
def test_the_melted_lora_draws_what_the_network_with_the_lora_draws(
    engine: Engine, file: str, seed: int
) -> None:
    pipeline, _, _ = random_lora(seed)
    pipeline.set_progress_bar_config(disable=True)
    from webui_engine.diffusion.samplers import build_scheduler, find_sampler, find_schedule

    pipeline.scheduler = build_scheduler(
        find_sampler("Euler"),
        find_schedule("Automatic"),
        4,
        dict(pipeline.scheduler.config),
        torch.device("cpu"),
    )
    theirs = pipeline(
        "portrait", num_inference_steps=4, guidance_scale=7.0, width=64, height=64,
        generator=torch.Generator().manual_seed(11),
    ).images[0]  # fmt: skip

    assert np.abs(picture(engine, f"portrait<lora:{file}:1>") - pixels(theirs)).max() <= 2


def test_a_weight_of_zero_changes_nothing(engine: Engine) -> None:
    plain, zero = picture(engine, "portrait"), picture(engine, "portrait<lora:anna:0>")

    assert np.abs(plain - zero).max() <= 1


def test_the_text_encoders_and_the_denoisers_weights_count_apart(engine: Engine) -> None:
    made = {
        picture(engine, f"portrait<lora:anna:{weights}>").tobytes()
        for weights in ("1:1", "0:1", "1:0", "0.5:1")
    }

    assert len(made) == 4


def test_several_loras_work_together(engine: Engine) -> None:
    both = picture(engine, "portrait<lora:anna:0.7><lora:style:0.7>")

    assert not np.array_equal(both, picture(engine, "portrait<lora:anna:0.7>"))
    assert not np.array_equal(both, picture(engine, "portrait<lora:style:0.7>"))


def test_hashes_are_of_the_tensors_and_named_as_in_the_prompt(engine: Engine, models: Path) -> None:
    result = engine.generate(small_task(prompt="a <lora:anna_v2:1> <lora:style:0.5>"), Recorder())

    file = (models / "Lora" / "people" / "anna.safetensors").read_bytes()
    tensors = file[8 + int.from_bytes(file[:8], "little") :]
    written = str(dict(result.extra)["Lora hashes"])
    assert written.startswith(f"anna_v2: {hashlib.sha256(tensors).hexdigest()[:12]}, style: ")
    assert result.pictures[0].prompt == "a <lora:anna_v2:1> <lora:style:0.5>"


@pytest.mark.parametrize("name", ["absent", "broken", "strange"])
def test_a_lora_that_cannot_be_used_is_left_out_with_a_warning(engine: Engine, name: str) -> None:
    result = engine.generate(small_task(prompt=f"portrait<lora:{name}:1>"), Recorder())

    assert name in result.warnings[0]
    assert "Lora hashes" not in dict(result.extra)
    assert np.array_equal(pixels(result.pictures[0].image), picture(engine, "portrait"))


def test_a_broken_lora_does_not_keep_the_good_one_from_working(engine: Engine) -> None:
    mixed = engine.generate(small_task(prompt="portrait<lora:broken:1><lora:anna:1>"), Recorder())

    assert len(mixed.warnings) == 1
    assert np.array_equal(pixels(mixed.pictures[0].image), picture(engine, "portrait<lora:anna:1>"))


def test_networks_can_be_switched_off(engine: Engine) -> None:
    off = picture(engine, "portrait<lora:anna:1>", disable_extra_networks=True)

    assert np.array_equal(off, picture(engine, "portrait"))


def test_the_second_pass_of_hires_fix_has_the_loras_of_its_own_prompt(engine: Engine) -> None:
    def made(prompt: str, second_prompt: str) -> np.ndarray:
        return picture(engine, prompt, hires=Hires(scale=1.5, prompt=second_prompt))

    plain = made("portrait", "a hat")
    styled = made("portrait", "a hat<lora:style:1>")

    assert not np.array_equal(styled, plain)
    assert np.abs(made("portrait", "a hat<lora:style:0>") - plain).max() <= 1
    assert np.array_equal(
        made("portrait", "portrait<lora:style:1>"), made("portrait<lora:anna:0>", "portrait<lora:style:1>")
    )
    assert not np.array_equal(made("portrait<lora:anna:1>", "portrait"), made("portrait<lora:anna:1>", ""))


def test_every_picture_of_a_batch_goes_through_both_passes_with_their_own_loras(engine: Engine) -> None:
    asked = small_task(
        prompt="portrait<lora:anna:1>", n_iter=2, hires=Hires(scale=1.5, prompt="a hat<lora:style:1>")
    )
    both = engine.generate(asked, Recorder())
    second_alone = engine.generate(replace(asked, seed=asked.seed + 1, n_iter=1), Recorder())

    assert np.array_equal(pixels(both.pictures[1].image), pixels(second_alone.pictures[0].image))
    assert [entry.partition(":")[0] for entry in str(dict(both.extra)["Lora hashes"]).split(", ")] == [
        "anna",
        "style",
    ]


def test_a_new_file_is_found_by_refresh_and_an_overwritten_one_is_read_again(
    engine: Engine, models: Path
) -> None:
    fresh = models / "Lora" / "fresh.safetensors"
    write_kohya(fresh, 3)
    engine.refresh_loras()
    first = picture(engine, "portrait<lora:fresh:1>")
    write_kohya(fresh, 4)
    second = picture(engine, "portrait<lora:fresh:1>")
    fresh.unlink()
    engine.refresh_loras()

    assert not np.array_equal(first, second)
    assert "fresh" not in {lora.name for lora in engine.loras()}


def test_a_second_folder_of_loras_is_listed_too(models: Path, tmp_path: Path) -> None:
    save_file({"x": torch.ones(1)}, tmp_path / "mine.safetensors")

    assert "mine" in {lora.name for lora in Engine([models], [tmp_path], device="cpu").loras()}


def test_embeddings_that_fit_are_listed_and_foreign_ones_are_set_aside(engine: Engine) -> None:
    listed = [(info.name, info.vectors, info.shape, info.step) for info in engine.embeddings()]

    assert listed == [("oneword", 1, TEXT_WIDTH, None), ("two-words", 2, TEXT_WIDTH, 500)]
    assert [info.name for info in engine.skipped_embeddings()] == ["foreign"]


@pytest.mark.parametrize("word", ["oneword", "two-words"])
def test_an_embedding_changes_the_picture_where_its_word_stands(engine: Engine, word: str) -> None:
    result = engine.generate(small_task(prompt=f"portrait of {word}"), Recorder())

    assert str(dict(result.extra)["TI hashes"]).startswith(f"{word}: ")
    taught = pixels(result.pictures[0].image)
    untaught = Engine([engine._models_dirs[0]], device="cpu")
    untaught._embeddings = ()
    assert not np.array_equal(taught, picture(untaught, f"portrait of {word}"))


def test_an_embedding_works_in_the_negative_prompt_too(engine: Engine) -> None:
    result = engine.generate(small_task(negative_prompt="(two-words:1.2)"), Recorder())

    assert "two-words" in str(dict(result.extra)["TI hashes"])


def test_a_longer_word_does_not_call_the_embedding(engine: Engine) -> None:
    assert engine.generate(small_task(prompt="oneworder"), Recorder()).extra == ()

"""ControlNet units in a generation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image
from safetensors.torch import save_file

from tests.unit.webui_engine.ldm_writer import ldm_control_state
from tests.unit.webui_engine.small_models import Recorder, pixels, save_small_checkpoint, small_task
from webui_engine.controlnet.units import CONTROL, PROMPT, RESIZE_MODES, SOFT_WEIGHT, UnitControl, fit_hint
from webui_engine.diffusion.engine import Engine
from webui_engine.diffusion.samplers import build_scheduler, find_sampler, find_schedule
from webui_engine.errors import BadValue, CheckpointBroken, UnknownName
from webui_engine.tasks import ControlUnit, Hires, Inpainting


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint with two random ControlNets that do change the picture, and one that does not fit."""
    models = tmp_path_factory.mktemp("controlled")
    pipeline = save_small_checkpoint(models / "Stable-diffusion" / "small")
    for seed, name in ((1, "edges"), (2, "pose")):
        torch.manual_seed(seed)
        network = ControlNetModel.from_unet(
            pipeline.unet, conditioning_embedding_out_channels=(16, 32, 96, 256)
        )
        for parameter in network.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.05)
        network.save_pretrained(models / "ControlNet" / name)
    save_file(network.state_dict(), models / "ControlNet" / "single.safetensors")
    for name, prefix in (("original", "control_model."), ("original-bare", "")):
        save_file(ldm_control_state(network, prefix), models / "ControlNet" / f"{name}.safetensors")
    (models / "ControlNet" / "broken.safetensors").write_bytes(b"nothing that could be read")
    return models


@pytest.fixture(scope="module")
def engine(models: Path) -> Engine:
    engine = Engine([models], device="cpu")
    engine.load("small")
    return engine


@pytest.fixture(scope="module")
def hint() -> Image.Image:
    drawing = Image.new("RGB", (64, 64))
    drawing.paste("white", (8, 8, 40, 24))
    return drawing


def picture(engine: Engine, *units: ControlUnit, **changes: object) -> np.ndarray:
    return pixels(engine.generate(small_task(control=units, **changes), Recorder()).pictures[0].image)


def test_controlnets_are_listed_with_a_hash(engine: Engine) -> None:
    stems = [name.partition(" [")[0] for name in engine.controlnet_models()]

    assert stems == ["broken", "edges", "original", "original-bare", "pose", "single"]
    assert all(len(name.rpartition("[")[2]) == 9 for name in engine.controlnet_models())


@pytest.mark.parametrize("weight", [1.0, 0.6])
def test_a_balanced_unit_is_bit_for_bit_diffusers_controlnet_pipeline(
    engine: Engine, models: Path, hint: Image.Image, weight: float
) -> None:
    ours = picture(engine, ControlUnit(model="edges", hint=hint, weight=weight))

    plain = engine._ready().model.pipeline
    network = ControlNetModel.from_pretrained(models / "ControlNet" / "edges", local_files_only=True)
    pipeline = StableDiffusionControlNetPipeline(
        **{name: getattr(plain, name) for name in ("vae", "text_encoder", "tokenizer", "unet")},
        scheduler=build_scheduler(
            find_sampler("Euler"), find_schedule("Automatic"), 4, dict(plain.scheduler.config), torch.device("cpu")
        ),
        controlnet=network, safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    task = small_task()
    theirs = pipeline(
        task.prompt, hint, num_inference_steps=4, guidance_scale=7.0, controlnet_conditioning_scale=weight,
        generator=torch.Generator().manual_seed(task.seed), width=64, height=64,
    ).images[0]  # fmt: skip
    assert np.array_equal(ours, pixels(theirs))


def test_each_control_mode_gives_another_picture(engine: Engine, hint: Image.Image) -> None:
    modes = ("Balanced", PROMPT, CONTROL)

    made = {
        picture(engine, ControlUnit(model="edges", hint=hint, control_mode=mode)).tobytes() for mode in modes
    }

    assert len(made) == 3


def test_when_the_controlnet_shall_win_only_the_prompts_rows_are_steered(
    engine: Engine, hint: Image.Image
) -> None:
    model = engine._ready().model
    network = engine._controlnets.load("edges", model)
    unit = ControlUnit(model="edges", hint=hint, control_mode=CONTROL)
    control = UnitControl(network, torch.ones(1, 3, 64, 64), unit, soft=False)

    with torch.inference_mode():
        added = control.residuals(torch.randn(4, 4, 8, 8), torch.tensor(500), torch.randn(4, 77, 64), 0.5, 2)
    assert added is not None
    down, mid = added

    assert mid.shape[0] == 4
    assert not mid[:2].any()
    assert mid[2:].abs().min() > 0
    assert not any(part[:2].any() for part in down)


def test_soft_weights_fall_by_a_constant_factor_towards_the_entry(engine: Engine, hint: Image.Image) -> None:
    model = engine._ready().model
    network = engine._controlnets.load("edges", model)
    arguments = torch.randn(2, 4, 8, 8), torch.tensor(500), torch.randn(2, 77, 64), 0.5, 1
    balanced, soft = (
        UnitControl(
            network, torch.ones(1, 3, 64, 64), ControlUnit(model="edges", hint=hint, weight=0.5), soft=value
        )
        for value in (False, True)
    )

    with torch.inference_mode():
        plain, weighted = balanced.residuals(*arguments), soft.residuals(*arguments)

    assert plain is not None
    assert weighted is not None
    assert torch.allclose(weighted[1], plain[1])
    for index, (strong, weak) in enumerate(zip(reversed(plain[0]), reversed(weighted[0]), strict=True)):
        assert torch.allclose(weak, strong * SOFT_WEIGHT ** (index + 1), atol=1e-6)


def test_a_unit_works_only_within_its_share_of_the_steps(engine: Engine, hint: Image.Image) -> None:
    whole, first_half, never, none = (
        picture(engine, *units)
        for units in (
            [ControlUnit(model="edges", hint=hint)],
            [ControlUnit(model="edges", hint=hint, guidance_end=0.5)],
            [ControlUnit(model="edges", hint=hint, guidance_start=0.9, guidance_end=1.0)],
            [],
        )
    )

    assert not np.array_equal(whole, first_half)
    assert np.array_equal(never, none)


def test_units_add_up_and_a_weight_of_zero_counts_for_nothing(engine: Engine, hint: Image.Image) -> None:
    one, two, zero = (
        picture(engine, ControlUnit(model="edges", hint=hint), *more)
        for more in (
            [],
            [ControlUnit(model="pose", hint=hint)],
            [ControlUnit(model="pose", hint=hint, weight=0.0)],
        )
    )

    assert not np.array_equal(one, two)
    assert np.array_equal(one, zero)


@pytest.mark.parametrize("file", ["single", "original", "original-bare"])
def test_a_single_file_works_like_the_folder(engine: Engine, hint: Image.Image, file: str) -> None:
    folder, single = (picture(engine, ControlUnit(model=name, hint=hint)) for name in ("pose", file))

    assert np.array_equal(folder, single)


def test_every_picture_of_a_batch_may_have_its_own_hint(engine: Engine, hint: Image.Image) -> None:
    black = Image.new("RGB", (64, 64))
    task = small_task(control=(ControlUnit(model="edges", hint=(black, hint)),), batch_size=2)

    made = engine.generate(task, Recorder()).pictures

    alone = picture(engine, ControlUnit(model="edges", hint=hint), seed=12)
    assert np.abs(pixels(made[1].image) - alone).max() <= 1


def test_a_hint_is_cut_like_the_picture_when_only_the_masked_part_is_painted(engine: Engine) -> None:
    """What stands outside the cut must not matter, what stands inside must."""
    photo = Image.new("RGB", (256, 256), "grey")
    mask = Image.new("L", (256, 256))
    mask.paste(255, (32, 32, 96, 96))
    area = Inpainting(mask=mask, only_masked=True, padding=0, blur_x=0, blur_y=0)
    inside, outside = Image.new("RGB", (256, 256)), Image.new("RGB", (256, 256))
    inside.paste("white", (40, 40, 70, 70))
    outside.paste("white", (150, 150, 250, 250))

    black, changed, same = (
        picture(engine, ControlUnit(model="edges", hint=drawing), init_images=(photo,), inpainting=area)
        for drawing in (Image.new("RGB", (256, 256)), inside, outside)
    )

    assert not np.array_equal(black, changed)
    assert np.array_equal(black, same)


def test_a_unit_may_leave_one_of_the_two_passes_of_hires_fix_alone(engine: Engine, hint: Image.Image) -> None:
    made = {
        picture(
            engine, ControlUnit(model="edges", hint=hint, low_res=low, high_res=high), hires=Hires(scale=1.5)
        ).tobytes()
        for low, high in ((True, True), (True, False), (False, True), (False, False))
    }

    assert len(made) == 4


def test_the_hints_resize_modes_are_those_of_the_extension() -> None:
    wide = Image.new("RGB", (40, 20), "red")
    wide.paste("blue", (20, 0, 40, 20))

    fitted = {mode: fit_hint(wide, mode, 20, 20) for mode in RESIZE_MODES}

    assert {picture.size for picture in fitted.values()} == {(20, 20)}
    assert fitted["Crop and Resize"].getpixel((9, 0)) == (255, 0, 0)
    assert fitted["Resize and Fill"].getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"model": "absent"}, UnknownName, "ControlNet"),
        ({"model": "broken"}, CheckpointBroken, "broken"),
        ({"resize_mode": "Squeeze"}, BadValue, "resize_mode"),
        ({"control_mode": "Chaos"}, BadValue, "control_mode"),
    ],
)
def test_what_a_unit_cannot_do_is_refused(
    engine: Engine, hint: Image.Image, changes: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        picture(engine, ControlUnit(hint=hint, **{"model": "edges", **changes}))


def test_a_controlnet_for_other_networks_is_refused_by_name(
    bundled_models: Path, models: Path, hint: Image.Image
) -> None:
    mixed = Engine([bundled_models, models], device="cpu")
    mixed.load("small")

    with pytest.raises(BadValue, match="sajin-tiny-openpose"):
        picture(mixed, ControlUnit(model="sajin-tiny-openpose", hint=hint))


def test_the_bundled_controlnets_run_on_the_bundled_model(bundled_engine: Engine, hint: Image.Image) -> None:
    for name in bundled_engine.controlnet_models():
        made = bundled_engine.generate(
            small_task(control=(ControlUnit(model=name, hint=hint),), steps=2), Recorder()
        )
        assert made.pictures[0].image.size == (64, 64)

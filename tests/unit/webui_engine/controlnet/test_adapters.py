"""IP-Adapters of random weights: listed where their encoder is, at work while asked for, gone without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.unit.webui_engine.small_models import (
    Recorder,
    pixels,
    save_small_ip_adapter,
    small_pipeline,
    small_task,
)
from webui_engine.diffusion.engine import Engine
from webui_engine.errors import BadValue, CheckpointBroken, UnknownName
from webui_engine.tasks import AdapterUnit, ControlUnit, Hires

CLIP_H = "ip-adapter_clip_sd15"
NAME = "ip-adapter_sd15"


def face(colour: str) -> Image.Image:
    return Image.new("RGB", (48, 40), colour)


def unit(*images: Image.Image, **changes: Any) -> AdapterUnit:
    return AdapterUnit(**{"model": NAME, "module": CLIP_H, "images": images or (face("red"),), **changes})


def made(engine: Engine, *units: AdapterUnit, **changes: Any) -> np.ndarray[Any, Any]:
    return pixels(
        engine.generate(small_task(steps=3, adapters=units, **changes), Recorder()).pictures[0].image
    )


def test_its_preprocessor_is_listed_where_the_encoder_is(
    adapter_engine: Engine, small_engine: Engine
) -> None:
    assert CLIP_H in [module.name for module in adapter_engine.controlnet_modules()]
    assert CLIP_H not in [module.name for module in small_engine.controlnet_modules()]


def test_the_picture_changes_the_result_and_leaves_nothing_behind(adapter_engine: Engine) -> None:
    plain = made(adapter_engine)
    red, blue = made(adapter_engine, unit(face("red"))), made(adapter_engine, unit(face("blue")))
    assert (red != plain).any()
    assert (red != blue).any()
    assert (made(adapter_engine) == plain).all()


def test_a_unit_of_no_weight_or_of_another_pass_changes_nothing(adapter_engine: Engine) -> None:
    plain = made(adapter_engine)
    assert (made(adapter_engine, unit(weight=0.0)) == plain).all()
    assert (made(adapter_engine, unit(low_res=False)) == plain).all()


def test_it_counts_only_in_its_share_of_the_steps(adapter_engine: Engine) -> None:
    whole, late = made(adapter_engine, unit()), made(adapter_engine, unit(guidance_start=0.6))
    assert (late != whole).any()
    assert (late != made(adapter_engine)).any()


def test_several_pictures_count_together(adapter_engine: Engine) -> None:
    both = made(adapter_engine, unit(face("red"), face("blue")))
    assert (both != made(adapter_engine, unit(face("red")))).any()


def test_two_units_work_beside_each_other(adapter_engine: Engine) -> None:
    two = made(adapter_engine, unit(face("red")), unit(face("blue"), weight=0.5))
    assert (two != made(adapter_engine, unit(face("red")))).any()


@pytest.mark.parametrize(
    "changes", [{"batch_size": 2, "prompt": "a AND b"}, {"cfg_scale": 1.0}, {"hires": Hires(scale=1.5)}]
)
def test_it_goes_with_batches_and_every_kind_of_guidance(
    adapter_engine: Engine, changes: dict[str, Any]
) -> None:
    assert (made(adapter_engine, unit(), **changes) != made(adapter_engine, **changes)).any()


def test_the_encoder_is_told_apart_by_its_module(adapter_engine: Engine) -> None:
    with pytest.raises(UnknownName, match="ip-adapter_clip_sdxl"):
        made(adapter_engine, unit(module="ip-adapter_clip_sdxl"))


def test_one_for_another_checkpoint_is_refused_and_the_next_picture_is_whole(
    adapter_engine: Engine, adapter_models: Path
) -> None:
    plain = made(adapter_engine)
    save_small_ip_adapter(adapter_models, "ip-adapter_other", small_pipeline().unet, width=96)
    save_file({"stranger": torch.zeros(1)}, adapter_models / "ControlNet" / "ip-adapter_none.safetensors")
    with pytest.raises(BadValue, match="does not fit"):
        made(adapter_engine, unit(model="ip-adapter_other"))
    with pytest.raises(CheckpointBroken, match="no IP-Adapter"):
        made(adapter_engine, unit(model="ip-adapter_none"))
    assert (made(adapter_engine) == plain).all()


def test_an_adapter_is_no_controlnet(adapter_engine: Engine) -> None:
    with pytest.raises((BadValue, CheckpointBroken)):
        adapter_engine.generate(small_task(control=(ControlUnit(model=NAME, hint=face("red")),)), Recorder())

"""Reference-only: a picture that looks at another one while it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.webui_engine.small_models import Recorder, pixels, small_task
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import Hires, ReferenceUnit


def face(colour: str) -> Image.Image:
    return Image.new("RGB", (80, 64), colour)


def unit(colour: str = "red", **changes: Any) -> ReferenceUnit:
    return ReferenceUnit(image=face(colour), **changes)


def made(engine: Engine, *units: ReferenceUnit, **changes: Any) -> np.ndarray[Any, Any]:
    return pixels(
        engine.generate(small_task(steps=3, references=units, **changes), Recorder()).pictures[0].image
    )


def test_the_reference_changes_the_result_and_leaves_nothing_behind(small_engine: Engine) -> None:
    plain = made(small_engine)
    assert (made(small_engine, unit("red")) != plain).any()
    assert (made(small_engine, unit("red")) != made(small_engine, unit("blue"))).any()
    assert (made(small_engine) == plain).all()


def test_a_seed_gives_the_same_picture_again(small_engine: Engine) -> None:
    assert (made(small_engine, unit()) == made(small_engine, unit())).all()


@pytest.mark.parametrize("changes", [{"weight": 0.0}, {"low_res": False}, {"guidance_start": 0.9}])
def test_a_unit_that_takes_no_part_changes_nothing(small_engine: Engine, changes: dict[str, Any]) -> None:
    assert (made(small_engine, unit(**changes)) == made(small_engine)).all()


def test_a_smaller_weight_has_fewer_layers_look(small_engine: Engine) -> None:
    assert (made(small_engine, unit(weight=0.3)) != made(small_engine, unit())).any()


def test_style_fidelity_counts_only_when_balanced(small_engine: Engine) -> None:
    whole, none = (made(small_engine, unit(style_fidelity=share)) for share in (1.0, 0.0))
    assert (whole != none).any()
    assert (made(small_engine, unit(control_mode="ControlNet is more important")) == whole).all()
    assert (made(small_engine, unit(control_mode="My prompt is more important")) == none).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 2, "prompt": "a AND b"},
        {"cfg_scale": 1.0, "sampler": "Heun"},
        {"hires": Hires(scale=1.5), "sampler": "DDIM"},
        {"init_images": (face("green"),)},
    ],
)
def test_it_goes_with_everything_else(small_engine: Engine, changes: dict[str, Any]) -> None:
    assert (made(small_engine, unit(), **changes) != made(small_engine, **changes)).any()

"""A second checkpoint that finishes the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.webui_engine.small_models import (
    Recorder,
    pixels,
    save_small_checkpoint,
    small_pipeline_xl,
    small_task,
)
from webui_engine.diffusion.engine import Engine
from webui_engine.errors import BadValue, UnknownName
from webui_engine.tasks import Hires, Refiner


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine on the first of two random checkpoints of one kind; two of other kinds lie beside them."""
    models: Path = tmp_path_factory.mktemp("refined")
    folder = models / "Stable-diffusion"
    save_small_checkpoint(folder / "first", seed=0)
    save_small_checkpoint(folder / "second", seed=1)
    velocity = save_small_checkpoint(folder / "velocity")
    velocity.scheduler.register_to_config(prediction_type="v_prediction")
    velocity.save_pretrained(folder / "velocity")
    small_pipeline_xl().save_pretrained(folder / "xl")
    engine = Engine([models], device="cpu")
    engine.load("first")
    return engine


def made(engine: Engine, checkpoint: str | None = None, switch_at: float = 0.5, **changes: Any) -> np.ndarray:
    refiner = Refiner(checkpoint=checkpoint, switch_at=switch_at) if checkpoint else None
    return pixels(engine.generate(small_task(refiner=refiner, **changes), Recorder()).pictures[0].image)


def test_it_takes_over_at_its_share_of_the_steps_and_only_for_one_picture(engine: Engine) -> None:
    plain = made(engine)
    early, late = (made(engine, "second", share) for share in (0.25, 0.75))
    assert (early != plain).any()
    assert (late != plain).any()
    assert (early != late).any()
    assert (made(engine) == plain).all()
    assert engine.loaded.model_name == "first"


def test_after_the_last_step_it_is_too_late(engine: Engine) -> None:
    assert (made(engine, "second", 1.0) == made(engine)).all()


def test_the_checkpoint_itself_is_no_other(engine: Engine) -> None:
    assert (made(engine, "first") == made(engine)).all()


def test_with_hires_fix_it_finishes_the_second_pass_alone(engine: Engine) -> None:
    hires = Hires(scale=1.5, denoising_strength=0.7)
    assert (made(engine, "second", hires=hires) != made(engine, hires=hires)).any()
    recorder = Recorder(stop_at=4)
    first = small_task(hires=hires, refiner=Refiner(checkpoint="second", switch_at=0.0))
    stopped = engine.generate(first, recorder).pictures[0].image
    plain = engine.generate(small_task(hires=hires), Recorder(stop_at=4)).pictures[0].image
    assert (pixels(stopped) == pixels(plain)).all()


def test_one_of_sdxl_may_finish_what_another_kind_began(engine: Engine) -> None:
    assert (made(engine, "xl") != made(engine)).any()


def test_the_result_names_it(engine: Engine) -> None:
    task = small_task(refiner=Refiner(checkpoint="second", switch_at=0.5))
    pairs = dict(engine.generate(task, Recorder()).extra)
    assert str(pairs["Refiner"]).startswith("second [")
    assert pairs["Refiner switch at"] == 0.5


def test_one_that_cannot_go_on_is_refused(engine: Engine) -> None:
    with pytest.raises(BadValue, match="v_prediction"):
        made(engine, "velocity")
    with pytest.raises(UnknownName):
        made(engine, "nobody")

"""SD upscale and Ultimate SD upscale, with the tiles painted by a stand-in and by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.webui_engine.small_models import Recorder
from webui_engine.diffusion.engine import Engine
from webui_engine.errors import BadValue
from webui_engine.scripts import tiles
from webui_engine.scripts.sd_upscale import SdUpscale
from webui_engine.scripts.ultimate import UltimateUpscale
from webui_engine.tasks import GenerationResult, GenerationTask, Sampled

TASK = GenerationTask(prompt="a woman", seed=3, steps=2, width=64, height=64, denoising_strength=0.3)
ULTIMATE: list[Any] = [None, 64, 64, 8, 32, 16, 0.35, 16, 1, False, 0, False, 4, 0, 2, 128, 128, 2]
NAMES = ("None", "Lanczos", "Nearest")


class Tiles:
    """Gives every tile back as it came, and remembers how it was asked."""

    def __init__(self) -> None:
        self.tasks: list[GenerationTask] = []
        self.boxes: list[tiles.Box] = []

    def __call__(
        self, task: GenerationTask, boxes: Sequence[tiles.Box], _canvas: tiles.Size
    ) -> GenerationResult:
        self.tasks.append(task)
        self.boxes.extend(boxes)
        made = tuple(
            Sampled(image=image, prompt=task.prompt, negative_prompt="", seed=task.seed, subseed=0)
            for image in task.init_images
        )
        return GenerationResult(pictures=made, model_name="none", model_hash="")


def enlarge(image: Image.Image, _name: str, width: int, height: int) -> Image.Image:
    return image.resize((width, height), Image.Resampling.LANCZOS)


def named(name: str | int | None) -> str:
    return NAMES[name] if isinstance(name, int) else name or "None"


def run(
    script: SdUpscale | UltimateUpscale, photo: Image.Image, paint: tiles.Paint, **changes: Any
) -> tuple[tiles.Upscaled, list[int]]:
    announced: list[int] = []
    task = replace(TASK, init_images=(photo,), **changes)
    return script.run(task, paint, enlarge, announced.append, Recorder()), announced


@pytest.fixture
def photo(astronaut: Image.Image) -> Image.Image:
    return astronaut.resize((64, 64))


def test_sd_upscale_gives_the_enlarged_picture_where_tiles_do_not_change(photo: Image.Image) -> None:
    painter = Tiles()
    made, announced = run(SdUpscale.parse([None, 16, "Lanczos", 2.0], named), photo, painter)
    assert np.abs(np.asarray(made.pictures[0], int) - np.asarray(photo.resize((128, 128), 1), int)).max() <= 1
    assert len(painter.tasks) == announced[0] == 9
    assert [task.seed for task in painter.tasks] == list(range(3, 12))
    assert made.extra == (("SD upscale overlap", 16), ("SD upscale upscaler", "Lanczos"))


def test_sd_upscale_paints_a_batch_of_tiles_at_a_time(photo: Image.Image) -> None:
    painter = Tiles()
    run(SdUpscale.parse([None, 16, 1, 2.0], named), photo, painter, batch_size=4)
    assert [len(task.init_images) for task in painter.tasks] == [4, 4, 1]


def test_sd_upscale_repeats_with_another_seed(photo: Image.Image) -> None:
    made, _ = run(SdUpscale.parse([None, 16, 1, 1.5], named), photo, Tiles(), n_iter=2)
    assert made.seeds == (3, 4)


@pytest.mark.parametrize("overlap", [64, 80])
def test_an_overlap_as_large_as_a_tile_is_refused(photo: Image.Image, overlap: int) -> None:
    with pytest.raises(BadValue, match="overlap"):
        run(SdUpscale.parse([None, overlap, 1, 2.0], named), photo, Tiles())


@pytest.mark.parametrize("arguments", [[], ULTIMATE[:5], [*ULTIMATE, 1]])
def test_a_wrong_number_of_arguments_is_refused(arguments: list[Any]) -> None:
    with pytest.raises(BadValue, match="18"):
        UltimateUpscale.parse(arguments, named)


def test_ultimate_takes_an_index_and_no_name() -> None:
    with pytest.raises(BadValue, match="index"):
        UltimateUpscale.parse([*ULTIMATE[:8], "Lanczos", *ULTIMATE[9:]], named)


def changed(**positions: Any) -> UltimateUpscale:
    values = list(ULTIMATE)
    for name, value in positions.items():
        values[int(name[1:])] = value
    return UltimateUpscale.parse(values, named)


def test_ultimate_paints_each_tile_with_its_surroundings(photo: Image.Image) -> None:
    painter = Tiles()
    made, announced = run(changed(), photo, painter)
    assert made.size == made.pictures[0].size == (128, 128)
    assert announced == [4]
    assert painter.boxes == [(0, 0, 96, 96), (32, 0, 128, 96), (0, 32, 96, 128), (32, 32, 128, 128)]
    assert {(task.width, task.height) for task in painter.tasks} == {(128, 128)}
    assert {task.seed for task in painter.tasks} == {3}


def test_ultimate_in_chess_order_paints_tiles_together(photo: Image.Image) -> None:
    painter = Tiles()
    run(changed(_10=1), photo, painter)
    assert [len(task.init_images) for task in painter.tasks] == [4]
    assert painter.boxes[:2] == [(0, 0, 96, 96), (32, 32, 128, 128)]


@pytest.mark.parametrize(("kind", "passes"), [(1, 2), (2, 4), (3, 5)])
def test_ultimate_mends_seams_in_a_second_picture(photo: Image.Image, kind: int, passes: int) -> None:
    painter = Tiles()
    made, announced = run(changed(_13=kind), photo, painter)
    assert len(made.pictures) == 2
    assert announced == [4 + passes]
    assert [task.denoising_strength for task in painter.tasks] == [0.3] * 4 + [0.35] * passes


@pytest.mark.parametrize(
    ("target", "size"),
    [({"_14": 0}, (64, 64)), ({"_14": 1, "_15": 192}, (192, 128)), ({"_17": 1.1}, (128, 128))],
)
def test_ultimate_aims_at_a_size(photo: Image.Image, target: dict[str, Any], size: tuple[int, int]) -> None:
    made, _ = run(changed(**target), photo, Tiles())
    assert made.pictures[0].size == size


def test_without_redrawing_the_enlarged_picture_comes_back(photo: Image.Image) -> None:
    painter = Tiles()
    made, _ = run(changed(_10=2), photo, painter)
    assert painter.tasks == []
    assert made.pictures[0].size == (128, 128)


def test_painted_tiles_leave_no_seams(astronaut: Image.Image, bundled_engine: Engine) -> None:
    """Across tile borders neighbouring pixels differ no more than twice as much as elsewhere."""

    def paint(task: GenerationTask, _boxes: Sequence[tiles.Box], _canvas: tiles.Size) -> GenerationResult:
        return bundled_engine.generate(task, Recorder())

    soft = astronaut.resize((128, 128))
    script = changed(_1=128, _2=128, _4=16)
    made, _ = run(script, soft, paint, width=128, height=128, denoising_strength=0.2)
    pixels = np.asarray(made.pictures[0].convert("L"), int)
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=0)
    assert steps[125:130].mean() < 2 * steps.mean()

"""Faces are painted again, with a prompt of their own, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.webui_engine.small_models import Recorder
from webui_engine.adetailer.detectors import Detectors
from webui_engine.adetailer.repair import Inner, Repair, tab_prompt
from webui_engine.adetailer.tabs import ADetailerArgs
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import GenerationTask, Sampled

MAIN = GenerationTask(prompt="a woman", negative_prompt="hat", seed=5, steps=4, width=128, height=128)
Paint = Callable[[ADetailerArgs, GenerationTask], Image.Image | None]


class Painter:
    """Remembers the tasks and gives back what it was given."""

    def __init__(self) -> None:
        self.tasks: list[GenerationTask] = []

    def __call__(self, _tab: ADetailerArgs, task: GenerationTask) -> Image.Image:
        self.tasks.append(task)
        return task.init_images[0]


def repaired(picture: Image.Image, paint: Paint, *tabs: dict[str, Any], **changes: Any) -> Image.Image:
    inners = tuple(Inner(tab=ADetailerArgs(**({"ad_model": "mediapipe_face_full"} | tab))) for tab in tabs)
    repair = Repair(inners=inners, detectors=Detectors([]), paint=paint, monitor=Recorder())
    made = Sampled(
        image=picture, prompt=MAIN.prompt, negative_prompt=MAIN.negative_prompt, seed=MAIN.seed, subseed=0
    )
    return replace(repair, **changes).repaired(made, MAIN).image


@pytest.fixture
def photo(astronaut: Image.Image) -> Image.Image:
    return astronaut.crop((96, 0, 352, 256))


def test_only_the_face_is_painted_again(photo: Image.Image, bundled_engine: Engine) -> None:
    def paint(_tab: ADetailerArgs, task: GenerationTask) -> Image.Image:
        return bundled_engine.generate(task, Recorder()).pictures[0].image

    tab = {"ad_denoising_strength": 0.8, "ad_mask_blur": 2, "ad_inpaint_only_masked_padding": 16}
    change = np.abs(np.asarray(repaired(photo, paint, tab), int) - np.asarray(photo, int)).max(axis=2)
    assert change[80:160, 90:170].mean() > 3
    assert change[200:, :].max() == 0
    assert change[:, :50].max() == 0


def test_a_tab_leaves_to_the_main_pass_what_it_does_not_say(photo: Image.Image) -> None:
    painter = Painter()
    repaired(photo, painter, {})
    task = painter.tasks[0]
    assert (task.prompt, task.negative_prompt, task.seed) == ("a woman", "hat", 5)
    assert (task.steps, task.width, task.height, task.batch_size) == (4, 128, 128, 1)
    assert task.denoising_strength == 0.4
    assert task.inpainting is not None
    assert task.inpainting.only_masked


def test_a_tab_can_have_its_own_size_steps_scale_and_prompt(photo: Image.Image) -> None:
    painter = Painter()
    own = {
        "ad_prompt": "[PROMPT], smiling",
        "ad_use_inpaint_width_height": True,
        "ad_inpaint_width": 70,
        "ad_inpaint_height": 64,
        "ad_use_steps": True,
        "ad_steps": 9,
        "ad_use_cfg_scale": True,
        "ad_cfg_scale": 3.0,
        "ad_use_clip_skip": True,
        "ad_clip_skip": 2,
    }
    repaired(photo, painter, own)
    task = painter.tasks[0]
    assert (task.prompt, task.width, task.height, task.steps) == ("a woman, smiling", 64, 64, 9)
    assert (task.cfg_scale, task.clip_skip) == (3.0, 2)


def test_tabs_work_on_each_others_results(photo: Image.Image) -> None:
    grey = Image.new("RGB", photo.size, "grey")
    seen: list[Image.Image] = []

    def paint(_tab: ADetailerArgs, task: GenerationTask) -> Image.Image:
        seen.append(task.init_images[0])
        return grey

    assert repaired(photo, paint, {}, {}) is grey
    assert seen == [photo]


def test_every_find_counts_the_seed_up(astronaut: Image.Image) -> None:
    pair = Image.new("RGB", (1024, 512))
    pair.paste(astronaut, (0, 0))
    pair.paste(astronaut, (512, 0))
    painter, same = Painter(), Painter()
    repaired(pair, painter, {"ad_prompt": "first [SEP] [SKIP] [SEP] third"})
    assert [(task.prompt, task.seed) for task in painter.tasks] == [("first", 5)]
    repaired(pair, same, {}, same_seed=True)
    assert [task.seed for task in same.tasks] == [5, 5]


@pytest.mark.parametrize(
    ("text", "index", "prompt"),
    [
        ("", 0, "main"),
        ("a face", 3, "a face"),
        ("one [SEP] two", 0, "one"),
        ("one [SEP] two", 5, "two"),
        ("one [SEP]  [SEP] three", 1, "main"),
        ("[PROMPT], smiling", 0, "main, smiling"),
    ],
)
def test_the_prompt_of_a_find(text: str, index: int, prompt: str) -> None:
    assert tab_prompt(text, "main", index) == prompt

"""Whole clips from the engine, on random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.unit.webui_engine.small_models import Recorder, pixels, small_task
from webui_engine.animatediff.clip import faded
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import Clip, Fading, GenerationTask

MODULE = "mm_small.safetensors"


def clip_task(frames: int = 4, **changes: object) -> GenerationTask:
    clip = Clip(**{"module": MODULE, "context": frames, "overlap": 0} | changes)  # type: ignore[arg-type]
    return small_task(batch_size=frames, steps=2, clip=clip)


def frames_of(engine: Engine, task: GenerationTask) -> list[np.ndarray]:
    return [pixels(made.image) for made in engine.generate(task, Recorder()).pictures]


def test_a_clip_is_as_many_pictures_with_seeds_that_count_up(moving_engine: Engine) -> None:
    made = moving_engine.generate(clip_task(5), Recorder()).pictures
    assert [picture.seed for picture in made] == [11, 12, 13, 14, 15]


def test_its_frames_are_made_together(moving_engine: Engine) -> None:
    clip = frames_of(moving_engine, clip_task())
    alone = frames_of(moving_engine, replace(clip_task(), clip=None))
    shorter = frames_of(moving_engine, clip_task(3))
    assert not np.array_equal(clip[0], alone[0])
    assert not np.array_equal(clip[0], shorter[0])


def test_afterwards_a_picture_is_what_it_was_before(moving_engine: Engine) -> None:
    before = frames_of(moving_engine, small_task())
    frames_of(moving_engine, clip_task())
    assert np.array_equal(frames_of(moving_engine, small_task())[0], before[0])


def test_a_long_clip_is_made_in_windows(moving_engine: Engine) -> None:
    whole, windows = (
        frames_of(moving_engine, replace(clip_task(6), clip=Clip(module=MODULE, context=size, overlap=1)))
        for size in (6, 4)
    )
    assert len(windows) == 6
    assert not np.array_equal(whole[0], windows[0])


def test_a_lora_of_the_prompt_takes_part(moving_engine: Engine) -> None:
    plain = frames_of(moving_engine, clip_task())
    tagged = replace(clip_task(), prompt="portrait of a woman <lora:tinylora:1>")
    assert np.abs(frames_of(moving_engine, tagged)[0] - plain[0]).max() > 0
    assert np.array_equal(frames_of(moving_engine, clip_task())[0], plain[0])


def test_prompts_travel(moving_engine: Engine) -> None:
    still, travelling = clip_task(), clip_task(travel=((0, "portrait of a woman"), (3, "a red hat on a dog")))
    changes = [
        np.abs(a - b).mean()
        for a, b in zip(frames_of(moving_engine, still), frames_of(moving_engine, travelling), strict=True)
    ]
    assert changes[3] > changes[0]


def test_progress_counts_the_steps_of_one_pass(moving_engine: Engine) -> None:
    told = Recorder()
    moving_engine.generate(clip_task(), told)
    assert told.events == [("begin", 1, 2), ("job", 0, 2), ("step", 1), ("step", 2)]


def test_an_interrupt_gives_the_frames_as_far_as_they_got(moving_engine: Engine) -> None:
    told = Recorder(stop_at=1)
    made = moving_engine.generate(replace(clip_task(), n_iter=2), told).pictures
    assert len(made) == 4
    assert told.events[-1] == ("step", 1)


def test_a_clip_can_begin_with_a_picture(moving_engine: Engine, astronaut: Image.Image) -> None:
    given = astronaut.crop((96, 0, 352, 256)).resize((64, 64))
    task = replace(clip_task(6, fading=Fading(1, 4)), init_images=(given,), denoising_strength=0.01, steps=20)
    distances = [np.abs(frame - pixels(given)).mean() for frame in frames_of(moving_engine, task)]
    assert distances[0] < distances[2] < distances[5]


def test_the_picture_gives_way_to_noise_with_the_distance() -> None:
    picture, noise = torch.ones(1, 2, 2, 2), torch.zeros(5, 2, 2, 2)
    kept = faded(Clip(module="any", fading=Fading(2, 8)), picture, None, noise)[:, 0, 0, 0]
    assert kept.tolist() == [1, 1 - 1 / 8, 1 - 4 / 8, 0, 0]


def test_between_two_pictures_the_first_frame_is_one_and_the_last_the_other() -> None:
    picture, last, noise = torch.ones(1, 2, 2, 2), -torch.ones(1, 2, 2, 2), torch.full((5, 2, 2, 2), 10.0)
    made = faded(Clip(module="any"), picture, last, noise)[:, 0, 0, 0]
    assert made[[0, 2, 4]].tolist() == pytest.approx([1, 0, -1], abs=1e-6)
    assert made[1] > made[2] > made[3]

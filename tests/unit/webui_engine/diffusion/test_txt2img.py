"""Plain pictures: the same as diffusers', and everything A1111 hangs on seeds and steps."""

from __future__ import annotations

from dataclasses import replace

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers import AysSchedules

from tests.unit.webui_engine.small_models import Recorder, pixels, small_task
from webui_engine.diffusion.engine import Engine
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.noise import Seeds, initial_noise
from webui_engine.diffusion.prediction import Prediction, alpha_at
from webui_engine.diffusion.samplers import (
    SAMPLERS,
    SCHEDULES,
    build_scheduler,
    find_sampler,
    find_schedule,
    told_schedule,
)
from webui_engine.errors import BadValue, UnknownName

SAMPLER_NAMES = [sampler.name for sampler in SAMPLERS]


def diffusers_picture(engine: Engine, sampler: str, **task: object) -> np.ndarray:
    model = load_model(engine.loaded, engine._device, [])
    asked = small_task(**task)
    pipeline = model.pipeline
    pipeline.scheduler = build_scheduler(
        find_sampler(sampler),
        find_schedule("Automatic"),
        asked.steps,
        model.scheduler_config,
        torch.device("cpu"),
    )
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline(
        prompt=asked.prompt,
        negative_prompt=asked.negative_prompt,
        num_inference_steps=asked.steps,
        guidance_scale=asked.cfg_scale,
        width=asked.width,
        height=asked.height,
        generator=[torch.Generator().manual_seed(asked.seed + i) for i in range(asked.batch_size)],
        num_images_per_prompt=asked.batch_size,
    ).images
    return np.stack([pixels(picture) for picture in image])


@pytest.mark.parametrize(
    "sampler", ["Euler", "Euler a", "DPM++ 2M", "DPM++ 2M SDE", "Heun", "DDIM", "PLMS", "UniPC"]
)
def test_a_plain_picture_is_bit_for_bit_that_of_the_diffusers_pipeline(
    small_engine: Engine, sampler: str
) -> None:
    ours = small_engine.generate(small_task(sampler=sampler, negative_prompt="blurry"), Recorder())

    theirs = diffusers_picture(small_engine, sampler, negative_prompt="blurry")

    assert np.array_equal(pixels(ours.pictures[0].image), theirs[0])


def test_the_bundled_velocity_predicting_model_also_agrees_with_diffusers(bundled_engine: Engine) -> None:
    ours = bundled_engine.generate(small_task(sampler="Euler", width=64, height=96), Recorder())

    theirs = diffusers_picture(bundled_engine, "Euler", width=64, height=96)

    assert np.array_equal(pixels(ours.pictures[0].image), theirs[0])


@pytest.mark.parametrize("schedule", [schedule.label for schedule in SCHEDULES])
@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
def test_every_listed_pair_ends_in_a_clean_latent(small_engine: Engine, sampler: str, schedule: str) -> None:
    """A schedule that stops too early or blows up would leave noise of another size than one."""
    model = small_engine._ready().model
    scheduler = build_scheduler(
        find_sampler(sampler), find_schedule(schedule), 6, model.scheduler_config, torch.device("cpu")
    )
    clean = torch.full((1, 4, 8, 8), 0.5)
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3)) * scheduler.init_noise_sigma
    for index, timestep in enumerate(scheduler.timesteps):
        scaled = scheduler.scale_model_input(latents, timestep)
        perfect = Prediction(latents, scaled, alpha_at(scheduler, index, timestep), "epsilon").output_for(
            clean
        )
        latents = scheduler.step(perfect, timestep, latents, return_dict=False)[0]

    assert float((latents - clean).abs().mean()) < 0.12


def test_a_karras_schedule_changes_euler_a(small_engine: Engine) -> None:
    plain, karras = (
        small_engine.generate(small_task(sampler="Euler a", scheduler=schedule), Recorder()).pictures[0].image
        for schedule in ("Automatic", "Karras")
    )

    assert not np.array_equal(pixels(plain), pixels(karras))


def test_an_unknown_sampler_is_refused_before_any_step(small_engine: Engine) -> None:
    monitor = Recorder()

    with pytest.raises(UnknownName) as refused:
        small_engine.generate(small_task(sampler="Euler Z"), monitor)

    assert refused.value.kind == "sampler"
    assert "Euler a" in refused.value.available
    assert monitor.events == []


@pytest.mark.parametrize("width", [0, 60, 4])
def test_a_size_that_is_no_whole_number_of_latent_cells_is_refused(small_engine: Engine, width: int) -> None:
    with pytest.raises(BadValue) as refused:
        small_engine.generate(small_task(width=width), Recorder())

    assert refused.value.field == "width"


@pytest.mark.parametrize("size", [(8, 8), (56, 40), (128, 24)])
def test_any_multiple_of_eight_gives_a_picture_of_that_size(
    bundled_engine: Engine, size: tuple[int, int]
) -> None:
    made = bundled_engine.generate(small_task(width=size[0], height=size[1], steps=2), Recorder())

    assert made.pictures[0].image.size == size


def test_each_picture_of_a_batch_is_the_one_its_own_seed_gives(small_engine: Engine) -> None:
    batch = small_engine.generate(small_task(batch_size=2, n_iter=2, sampler="Euler a"), Recorder()).pictures

    assert [picture.seed for picture in batch] == [11, 12, 13, 14]
    for picture in batch:
        alone = small_engine.generate(small_task(seed=picture.seed, sampler="Euler a"), Recorder()).pictures[
            0
        ]
        assert np.abs(pixels(picture.image) - pixels(alone.image)).max() <= 1


def test_a_variation_of_strength_one_is_the_picture_of_the_subseed(small_engine: Engine) -> None:
    varied = small_engine.generate(small_task(subseed=99, subseed_strength=1.0), Recorder()).pictures[0]
    other = small_engine.generate(small_task(seed=99), Recorder()).pictures[0]

    assert (varied.seed, varied.subseed) == (11, 99)
    assert np.abs(pixels(varied.image) - pixels(other.image)).max() <= 1


def test_variations_keep_the_seed_and_count_up_the_subseed(small_engine: Engine) -> None:
    made = small_engine.generate(
        small_task(subseed=5, subseed_strength=0.2, batch_size=2), Recorder()
    ).pictures

    assert [(picture.seed, picture.subseed) for picture in made] == [(11, 5), (11, 6)]
    assert not np.array_equal(pixels(made[0].image), pixels(made[1].image))


def test_ensd_changes_what_an_ancestral_sampler_draws_later_but_not_euler(small_engine: Engine) -> None:
    def same_pictures(sampler: str) -> bool:
        tasks = [small_task(sampler=sampler, eta_noise_seed_delta=delta) for delta in (0, 31337)]
        first, second = (pixels(small_engine.generate(task, Recorder()).pictures[0].image) for task in tasks)
        return np.array_equal(first, second)

    assert not same_pictures("Euler a")
    assert same_pictures("Euler")


def test_a_guidance_of_one_asks_the_denoiser_for_the_prompt_alone(small_engine: Engine) -> None:
    tasks = [small_task(cfg_scale=1.0, negative_prompt=text) for text in ("", "dog")]
    first, second = (small_engine.generate(task, Recorder()).pictures[0].image for task in tasks)

    assert np.array_equal(pixels(first), pixels(second))


@pytest.mark.parametrize("sampler", ["Euler", "Heun", "PLMS", "DPM2 a"])
def test_steps_are_reported_once_each_whatever_the_sampler_does_inside(
    small_engine: Engine, sampler: str
) -> None:
    monitor = Recorder()

    small_engine.generate(small_task(sampler=sampler, n_iter=2), monitor)

    steps = [("step", number) for number in (1, 2, 3, 4)]
    reported = list(dict.fromkeys(monitor.events[2 : monitor.events.index(("job", 1, 4))]))
    assert monitor.events[:2] == [("begin", 2, 4), ("job", 0, 4)]
    assert reported == steps


def test_previews_are_the_clean_picture_the_denoiser_means(
    bundled_engine: Engine,
) -> None:
    monitor = Recorder(wants_preview=True)

    made = bundled_engine.generate(small_task(steps=6), monitor)

    last = monitor.previews[-1]
    assert len(monitor.previews) == 6
    assert last.size == (64, 64)
    assert np.abs(pixels(last) - pixels(made.pictures[0].image)).mean() < 6


def test_a_preview_of_a_large_picture_is_small(small_engine: Engine) -> None:
    monitor = Recorder(wants_preview=True)

    small_engine.generate(small_task(steps=1, width=8 * 64, height=8 * 32), monitor)

    assert max(monitor.previews[0].size) <= 16 * 8


def test_an_interrupt_gives_the_unfinished_picture_and_stops_the_rest(small_engine: Engine) -> None:
    monitor = Recorder(stop_at=2)

    made = small_engine.generate(small_task(n_iter=3), monitor)

    assert len(made.pictures) == 1
    assert monitor.events[-1] == ("step", 2)


def test_an_interrupt_before_the_first_step_gives_no_picture(small_engine: Engine) -> None:
    assert small_engine.generate(small_task(), Recorder(interrupted=True)).pictures == ()


def test_a_skip_drops_the_batch_and_goes_on_with_the_next(small_engine: Engine) -> None:
    class SkipFirst(Recorder):
        def job(self, number: int, *, steps: int) -> None:
            super().job(number, steps=steps)
            self.skip_at = 2 if number == 0 else None

    made = small_engine.generate(small_task(n_iter=2), SkipFirst())

    assert [picture.seed for picture in made.pictures] == [12]


def test_a_tiled_picture_differs_and_leaves_the_network_as_it_was(small_engine: Engine) -> None:
    plain, tiled, again = (
        pixels(small_engine.generate(small_task(tiling=tiling), Recorder()).pictures[0].image)
        for tiling in (False, True, False)
    )

    assert not np.array_equal(plain, tiled)
    assert np.array_equal(plain, again)


def test_seed_resize_keeps_the_small_pictures_noise_in_the_middle() -> None:
    seeds = Seeds(seeds=(7,), subseeds=(0,))
    small, _ = initial_noise(seeds, (4, 8, 8))

    large, _ = initial_noise(replace(seeds, resize_from=(64, 64)), (4, 16, 12))

    assert torch.equal(large[0, :, 4:12, 2:10], small[0])


@pytest.mark.parametrize("schedule", [schedule.label for schedule in SCHEDULES])
@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
def test_the_spacing_a_checkpoint_was_published_with_does_not_change_a_schedule(
    sampler: str, schedule: str
) -> None:
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    published = {
        **betas,
        "timestep_spacing": "leading",
        "steps_offset": 3,
        "clip_sample": True,
        "_class_name": "X",
    }
    arguments = find_sampler(sampler), find_schedule(schedule), 5

    first, second = (
        build_scheduler(*arguments, config, torch.device("cpu")) for config in (betas, published)
    )

    assert torch.equal(first.timesteps, second.timesteps)
    assert first.init_noise_sigma == second.init_noise_sigma


@pytest.mark.parametrize("schedule", ["Automatic", "Karras", "Exponential", "Beta"])
def test_a_single_step_starts_from_full_noise(schedule: str) -> None:
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}

    for sampler in ("Euler", "Euler a", "LMS", "Heun"):
        scheduler = build_scheduler(
            find_sampler(sampler), find_schedule(schedule), 1, betas, torch.device("cpu")
        )
        assert float(scheduler.timesteps[0]) == pytest.approx(999, abs=0.5)


def levels_of(sampler: str, schedule: str, steps: int) -> np.ndarray:
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    scheduler = build_scheduler(
        find_sampler(sampler), find_schedule(schedule), steps, betas, torch.device("cpu")
    )
    return np.unique(scheduler.sigmas.double().numpy())[::-1]


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS if sampler.schedulable])
def test_align_your_steps_has_the_published_noise_levels(sampler: str) -> None:
    published = AysSchedules["StableDiffusionSigmas"]

    levels = levels_of(sampler, "Align Your Steps", 11)

    assert levels[:10] == pytest.approx(published[:10], rel=1e-4)
    assert levels[10:] == pytest.approx([0.029, 0], rel=1e-4)


def test_align_your_steps_is_interpolated_for_other_numbers_of_steps() -> None:
    levels = levels_of("Euler", "Align Your Steps", 21)

    assert levels[0:21:2] == pytest.approx(levels_of("Euler", "Align Your Steps", 11)[:11], rel=1e-4)
    assert levels[1] ** 2 == pytest.approx(levels[0] * levels[2], rel=1e-4)


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS if sampler.schedulable])
def test_the_kl_optimal_levels_are_evenly_spaced_angles(sampler: str) -> None:
    levels = levels_of(sampler, "KL Optimal", 8)

    assert len(levels) == 9
    assert levels[0] == pytest.approx(levels_of("Euler", "Karras", 8)[0], rel=1e-3)
    angles = np.diff(np.arctan(levels[:8]))
    assert angles == pytest.approx(np.full(7, angles[0]), rel=1e-3)


@pytest.mark.parametrize(
    ("sampler", "schedule", "told"),
    [
        ("Euler", "Automatic", None),
        ("Euler", "Uniform", "Uniform"),
        ("DPM++ 2M", "Automatic", "Karras"),
        ("DPM++ 3M SDE", "Automatic", "Exponential"),
        ("DPM++ 2M", "Uniform", "Uniform"),
        ("DDIM", "Automatic", None),
    ],
)
def test_the_schedule_that_ran_is_told_by_its_name(sampler: str, schedule: str, told: str | None) -> None:
    assert told_schedule(sampler, schedule) == told


def test_the_listed_samplers_exist_in_diffusers() -> None:
    assert all(hasattr(diffusers, sampler.scheduler_class) for sampler in SAMPLERS)

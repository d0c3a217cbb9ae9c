"""Portraits that move: painted, learned and made."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import MotionAdapter

from studio.settings import BUNDLED_CHECKPOINT
from tiny_model import clips, motion, package, sampling, shapes
from tiny_model.measure import restlessness
from tiny_model.movement import moved, moving, random_movement
from tiny_model.painter import paint
from tiny_model.portrait import Portrait, random_portrait

BUNDLED_MODELS = BUNDLED_CHECKPOINT.parents[1]


@pytest.fixture(autouse=True)
def _one_thread_and_fixed_noise() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def portrait() -> Portrait:
    return dataclasses.replace(random_portrait(3), framing="close-up", glasses="none", expression="neutral")


def test_a_loop_ends_where_it_began(portrait: Portrait) -> None:
    movement = random_movement(portrait)
    first, last = moved(portrait, movement, 0.0), moved(portrait, movement, 1.0)
    assert first.shape.turn == pytest.approx(last.shape.turn)
    assert np.array_equal(paint(first).picture, paint(last).picture)


def test_the_head_turns_to_both_sides_and_the_lids_close_in_between(portrait: Portrait) -> None:
    frames = moving(portrait, 16)
    turns = [frame.shape.turn for frame in frames]
    assert (turns.index(max(turns)), turns.index(min(turns))) == (4, 12)
    assert frames[8].blink == 1.0
    assert frames[0].blink < 0.01
    assert frames[4].smile > frames[12].smile


def test_a_blink_and_a_smile_change_the_face_and_nothing_else(portrait: Portrait) -> None:
    plain = paint(portrait)
    for changed in (dataclasses.replace(portrait, blink=1.0), dataclasses.replace(portrait, smile=1.0)):
        painted = paint(changed)
        rows, columns = np.nonzero(np.abs(painted.picture.astype(int) - plain.picture).max(-1) > 20)
        assert len(rows) > 20
        x, y = portrait.shape.center[0] * 128, portrait.shape.center[1] * 128
        assert max(abs(rows - y).max(), abs(columns - x).max()) < portrait.shape.head * 128


def test_clips_are_kept_on_disk_and_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "BLOCK", 2)
    monkeypatch.setattr(clips, "FRAMES", 2)
    clips.encode_clips(package.load_pipeline(BUNDLED_MODELS).vae, tmp_path, 1, lambda message: None)
    batch = clips.ClipDraw(tmp_path, seed=0).batch(2)
    assert batch.latents.shape == (2, 2, 16, 16, 16)
    assert sorted(batch.numbers) == [0, 1]
    assert batch.pictures.latents.shape == (2, 16, 16, 16)


@torch.inference_mode()
def test_a_new_module_leaves_the_pictures_as_they_are() -> None:
    unet = shapes.build_unet()
    latents, steps, states = (
        torch.randn(4, 16, 8, 8),
        torch.tensor(600),
        torch.randn(4, 77, shapes.TEXT_WIDTH),
    )
    still = unet(latents, steps, states).sample
    moved_ones = shapes.build_motion_unet(unet)(latents.transpose(0, 1)[None], steps, states).sample
    assert torch.allclose(moved_ones[0].transpose(0, 1), still, atol=1e-5)


def test_only_the_motion_module_learns() -> None:
    network = shapes.build_motion_unet(shapes.build_unet())
    motion.freeze_pictures(network)
    learning = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    assert learning == sum(parameter.numel() for parameter in shapes.build_motion_adapter().parameters())


def test_the_velocity_that_is_asked_for_makes_a_still_clip_move() -> None:
    scheduler = shapes.build_scheduler()
    latents = torch.randn(6, 5, 2, 3, 3)
    steps = torch.tensor([10, 240, 300, 600, 900, 999])
    noise = motion.clip_noise(latents.shape)
    mixed, velocity = motion.stilled(scheduler, latents, noise, steps)
    share = scheduler.alphas_cumprod[steps][:, None, None, None, None]
    assert torch.equal(noise[:, 0], noise[:, 3])
    assert torch.allclose(share.sqrt() * mixed - (1 - share).sqrt() * velocity, latents, atol=1e-4)
    assert torch.allclose(mixed[0], scheduler.add_noise(latents[0], noise[0], steps[0]), atol=1e-6)


def test_what_moves_counts_more() -> None:
    latents = torch.zeros(1, 4, 2, 3, 3)
    latents[:, 1::2, :, 1, 1] = 1.0
    weights = motion.moving_weights(latents)
    assert weights[0, 0, 1, 1] == pytest.approx(1 + motion.MOVING_WEIGHT)
    assert weights[0, 0, 0, 0] == 1


def test_a_trained_state_becomes_a_folder_that_diffusers_reads(tmp_path: Path) -> None:
    adapter = shapes.build_motion_adapter()
    folder = package.package_motion(tmp_path, adapter)
    again = MotionAdapter.from_pretrained(folder, local_files_only=True)
    assert again.config.block_out_channels == list(shapes.UNET_CHANNELS)
    assert (folder / "sajin.json").is_file()


def test_a_loop_that_begins_anew_is_told_from_one_that_leads_back() -> None:
    ramp = [np.full((4, 4, 3), level, np.uint8) for level in (0, 40, 80, 120)]
    there_and_back = [ramp[place] for place in (0, 1, 2, 1)]
    assert restlessness(ramp).seam == 120
    assert restlessness(there_and_back).seam == restlessness(there_and_back).neighbours == 40


def test_the_bundled_module_turns_a_portrait_from_one_side_to_the_other() -> None:
    adapter = MotionAdapter.from_pretrained(BUNDLED_MODELS / package.MOTION, local_files_only=True).float()
    prompt = "photo of a woman, long black hair, red shirt, blue background, close-up"
    with torch.inference_mode():
        frames = sampling.sample_loop(
            package.load_pipeline(BUNDLED_MODELS), adapter, prompt, frames=16, steps=6, guidance=1.0
        )
    told = restlessness(frames)
    across = np.abs(frames[4].astype(np.int16) - frames[12]).mean()
    assert told.neighbours > 1
    assert across > max(2 * told.neighbours, told.seam)

"""Flicker and seam, on clips whose faults are known."""

from __future__ import annotations

import numpy as np
import pytest

from studio.animation.clip import Clip
from studio.animation.measures import changed, flicker, seam
from tests.moving import Frames, swaying


def clip(frames: Frames) -> Clip:
    return Clip(frames=frames, fps=8)


def lit(frames: Frames, levels: list[int]) -> Frames:
    """Each frame brighter by its number of levels."""
    brighter: Frames = np.clip(frames.astype(int) + np.array(levels)[:, None, None, None], 0, 255).astype(
        np.uint8
    )
    return brighter


def test_a_head_that_moves_before_a_still_background_does_not_flicker() -> None:
    moving = clip(swaying(8, 192))
    assert np.abs(np.diff(moving.frames.astype(int), axis=0)).mean() > 1.0
    assert flicker(moving) < 0.3


def test_light_that_jumps_from_frame_to_frame_is_flicker_of_that_size() -> None:
    assert flicker(clip(lit(swaying(8, 192), [0, 6] * 4))) == pytest.approx(6, abs=0.6)


def test_flicker_grows_with_the_fault_and_not_with_the_motion() -> None:
    slight, strong = (flicker(clip(lit(swaying(8, 192), [0, jump] * 4))) for jump in (2, 8))
    assert flicker(clip(swaying(8, 192))) < slight < strong


def test_a_closed_loop_has_a_seam_like_every_other_change() -> None:
    assert 0.5 < seam(clip(swaying(8, 192))) < 2


def test_a_clip_that_ends_elsewhere_jumps_at_its_seam() -> None:
    assert seam(clip(swaying(8, 192, turns=0.25))) > 2.5


def test_a_clip_that_is_played_back_closes() -> None:
    there = swaying(6, 192, turns=0.25)
    assert seam(clip(np.concatenate([there, there[-2:0:-1]]))) < 1.5


def test_what_does_not_move_at_all_has_neither() -> None:
    still = np.stack([swaying(2, 96)[0]] * 4)
    assert (flicker(clip(still)), seam(clip(still))) == (0.0, 0.0)


def test_frames_that_differ_are_counted() -> None:
    frames = swaying(4, 64)
    other = frames.copy()
    other[[1, 3], 0, 0] ^= 1
    assert changed(clip(frames), clip(other)) == 2

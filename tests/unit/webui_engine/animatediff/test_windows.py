"""Which frames are denoised together."""

from __future__ import annotations

import pytest

from webui_engine.animatediff.windows import bits_reversed, windows
from webui_engine.tasks import Clip, Loop


def clip(**changes: object) -> Clip:
    return Clip(**{"module": "any", "context": 8, "overlap": 2} | changes)  # type: ignore[arg-type]


def test_a_clip_that_fits_is_one_window() -> None:
    assert windows(clip(), 8, 3) == (tuple(range(8)),)
    assert windows(clip(loop=Loop.ALL), 5, 0) == (tuple(range(5)),)


@pytest.mark.parametrize("loop", list(Loop))
@pytest.mark.parametrize("frames", [9, 16, 21, 24])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_every_frame_is_in_a_window_at_every_step(loop: Loop, frames: int, stride: int) -> None:
    for step in range(12):
        laid = windows(clip(loop=loop, stride=stride), frames, step)
        assert {frame for window in laid for frame in window} == set(range(frames))
        assert all(len(set(window)) == 8 for window in laid if stride == 1)


def test_the_windows_lie_elsewhere_at_the_next_step() -> None:
    first, second = (windows(clip(), 24, step) for step in (0, 1))
    assert first[0] == tuple(range(8))
    assert second[0] == tuple(range(12, 20))


def test_without_a_loop_no_window_joins_the_end_to_the_beginning() -> None:
    for step in range(16):
        for window in windows(clip(loop=Loop.NONE), 24, step):
            assert window == tuple(range(window[0], window[0] + 8))


def test_with_a_loop_some_window_does() -> None:
    joined = [
        window
        for step in range(16)
        for window in windows(clip(loop=Loop.LESS), 24, step)
        if window[-1] < window[0]
    ]
    assert joined


def test_a_closed_loop_has_the_more_windows() -> None:
    less, more = (windows(clip(loop=loop, overlap=4), 16, 0) for loop in (Loop.LESS, Loop.ALL))
    assert less == more[:-1]
    assert {0, 15} <= set(more[-1])


def test_a_stride_adds_windows_of_every_second_frame() -> None:
    wide = windows(clip(stride=2), 24, 0)
    assert wide[: len(windows(clip(), 24, 0))] == windows(clip(), 24, 0)
    assert wide[len(windows(clip(), 24, 0))] == tuple(range(0, 16, 2))


def test_the_digits_are_mirrored_at_the_point() -> None:
    assert [bits_reversed(number) for number in range(5)] == [0, 0.5, 0.25, 0.75, 0.125]

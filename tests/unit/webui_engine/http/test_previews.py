"""Previews: the newest look at the present run, at most a twentieth of the time."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from PIL import Image

from webui_engine.diffusion.engine import Engine
from webui_engine.http.previews import LARGEST_SHARE, Previews
from webui_engine.http.progress import Progress

DECODING_SECONDS = 0.5


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Decoder:
    """An engine whose previews are as wide as their latents' number, and take half a second."""

    def __init__(self, clock: Clock) -> None:
        self.decoded = 0
        self._clock = clock

    def preview(self, latents: np.ndarray) -> Image.Image:
        self.decoded += 1
        self._clock.now += DECODING_SECONDS
        return Image.new("RGB", (int(latents[0]), 1))


class Watched:
    """A run that is looked at."""

    def __init__(self) -> None:
        self.clock, self.progress = Clock(), Progress()
        self.decoder = Decoder(self.clock)
        self.previews = Previews(cast(Engine, self.decoder), self.progress, self.clock)
        self.begin()

    def begin(self) -> None:
        self.progress.start("job", preview_every=1)

    def step(self, number: int) -> None:
        self.progress.step(number, np.array([number]))

    def seen(self) -> tuple[int, int] | None:
        """Number and width of the preview shown."""
        newest = self.previews.newest()
        return None if newest is None else (newest.number, newest.picture.width)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_before_the_first_step_there_is_none(watched: Watched) -> None:
    assert watched.seen() is None


def test_the_first_is_decoded_at_once_and_only_once(watched: Watched) -> None:
    watched.step(1)
    assert [watched.seen(), watched.seen()] == [(0, 1), (0, 1)]
    assert watched.decoder.decoded == 1


def test_the_next_one_waits_until_decoding_is_a_small_share_of_the_time(watched: Watched) -> None:
    watched.step(1)
    watched.seen()
    watched.step(2)
    assert watched.seen() == (0, 1)
    watched.clock.now += DECODING_SECONDS / LARGEST_SHARE
    assert watched.seen() == (1, 2)


def test_a_new_run_never_shows_the_one_before(watched: Watched) -> None:
    watched.step(1)
    watched.seen()
    watched.progress.finish()
    assert watched.seen() is None
    watched.begin()
    assert watched.seen() is None
    watched.step(7)
    assert watched.seen() == (0, 7)

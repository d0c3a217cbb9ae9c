"""The running job's figures and flags."""

from __future__ import annotations

from PIL import Image

from webui_engine.http.progress import LARGEST_SHARE, Progress

DECODING_SECONDS = 0.5


def started(*, preview_every: int = 0) -> Progress:
    progress = Progress()
    progress.start("scripts_txt2img", preview_every=preview_every)
    return progress


def test_the_fraction_counts_passes_and_steps() -> None:
    progress = started()
    progress.begin(jobs=2, steps=10)
    progress.job(1, steps=10)
    progress.step(5, None)
    assert progress.view().fraction == 0.75


def test_passes_that_are_announced_keep_the_fraction_from_running_backwards() -> None:
    progress = started()
    progress.expect(2)
    progress.begin(jobs=1, steps=4)
    progress.job(0, steps=4)
    progress.step(4, None)
    before = progress.view().fraction
    progress.begin(jobs=1, steps=4)
    progress.job(0, steps=4)
    assert progress.view().fraction >= before == 0.5


def test_an_interrupt_when_idle_has_no_later_effect() -> None:
    progress = Progress()
    progress.interrupt()
    progress.start("scripts_txt2img", preview_every=0)
    assert not progress.interrupted


def test_flags_can_be_read_after_the_job_until_the_next_begins() -> None:
    progress = started()
    progress.interrupt()
    progress.finish()
    assert progress.view().interrupted
    assert progress.view().job_count == 0
    progress.start("scripts_txt2img", preview_every=0)
    assert not progress.view().interrupted


def test_a_skip_ends_with_the_batch_it_was_sent_in() -> None:
    progress = started()
    progress.begin(jobs=2, steps=4)
    progress.skip()
    assert progress.skipped
    progress.job(1, steps=4)
    assert not progress.skipped


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Sampler:
    """Makes steps, and previews that take half a second and are as wide as the step's number, where one is wanted."""

    def __init__(self, *, preview_every: int = 1) -> None:
        self.clock = Clock()
        self.progress = Progress(self.clock)
        self.preview_every = preview_every
        self.begin()

    def begin(self) -> None:
        self.made: list[int] = []
        self.number = 0
        self.progress.start("scripts_txt2img", preview_every=self.preview_every)

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.number += 1
            picture = None
            if self.progress.wants_preview:
                self.made.append(self.number)
                picture = Image.new("RGB", (self.number, 1))
                self.clock.now += DECODING_SECONDS
            self.progress.step(self.number, picture)

    def seen(self) -> tuple[int, int] | None:
        """Number and width of the preview shown."""
        preview = self.progress.ask_preview()
        return None if preview is None else (preview.number, preview.picture.width)


def test_previews_that_nobody_asks_for_are_not_made() -> None:
    sampler = Sampler()
    sampler.steps(5)
    assert sampler.made == []


def test_who_asks_is_shown_the_next_step() -> None:
    sampler = Sampler()
    assert sampler.seen() is None
    sampler.steps(2)
    assert sampler.seen() == (0, 1)
    assert sampler.made == [1]


def test_previews_are_made_at_every_so_many_steps_only() -> None:
    sampler = Sampler(preview_every=3)
    sampler.seen()
    sampler.steps(7)
    assert sampler.made == [3]


def test_the_next_one_waits_until_previews_are_a_small_share_of_the_time() -> None:
    sampler = Sampler()
    sampler.seen()
    sampler.steps(1)
    sampler.seen()
    sampler.steps(3)
    assert sampler.seen() == (0, 1)
    sampler.clock.now += DECODING_SECONDS / LARGEST_SHARE
    sampler.steps(1)
    assert sampler.seen() == (1, 5)


def test_a_new_job_never_shows_the_one_before() -> None:
    sampler = Sampler()
    sampler.seen()
    sampler.steps(1)
    sampler.progress.finish()
    assert sampler.seen() is None
    sampler.begin()
    sampler.steps(1)
    assert sampler.seen() is None
    sampler.steps(1)
    assert sampler.seen() == (0, 2)


def test_idle_progress_is_all_zero() -> None:
    view = Progress().view()
    assert (view.job, view.job_count, view.fraction, view.eta_seconds) == ("", 0, 0.0, None)

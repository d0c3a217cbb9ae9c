"""The running job's figures and flags."""

from __future__ import annotations

import numpy as np

from webui_engine.http.progress import Progress


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


def test_previews_are_wanted_every_so_many_steps() -> None:
    progress = started(preview_every=3)
    progress.begin(jobs=1, steps=7)
    wanted = []
    for number in range(1, 8):
        wanted.append(progress.wants_preview)
        progress.step(number, np.zeros((1, 4, 8, 8), np.float32) if wanted[-1] else None)
    assert [number for number, asked in enumerate(wanted, start=1) if asked] == [3, 6]
    assert progress.latents()[1] == 1


def test_idle_progress_is_all_zero() -> None:
    view = Progress().view()
    assert (view.job, view.job_count, view.fraction, view.eta_seconds) == ("", 0, 0.0, None)

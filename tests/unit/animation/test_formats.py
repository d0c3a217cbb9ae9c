"""The files of a clip: what they show, how long, and a GIF's bytes."""

from __future__ import annotations

import io
from functools import lru_cache

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from studio.animation.budget import gif_within, similarity
from studio.animation.clip import Clip
from studio.animation.formats import encoded
from studio.animation.gif import drawn, palette_of
from studio.errors import BudgetNotMet
from studio.values import AnimationFormat
from tests.moving import Frames, swaying

INFOTEXT = "한 사람의 사진\nSteps: 3, Sampler: DDIM, Seed: 1"


@lru_cache(maxsize=1)
def clip() -> Clip:
    return Clip(frames=swaying(8, 192), fps=8, infotext=INFOTEXT)


def shown(file: bytes) -> list[tuple[Frames, int]]:
    """Each frame of a file with its milliseconds."""
    with Image.open(io.BytesIO(file)) as image:
        return [
            (np.asarray(frame.convert("RGB")), int(frame.info["duration"]))
            for frame in ImageSequence.Iterator(image)
        ]


def test_a_gif_shows_what_it_says_it_shows() -> None:
    gif = drawn(clip())
    assert (np.stack([frame for frame, _ in shown(gif.data)]) == gif.frames).all()


def test_a_gif_has_fewer_than_half_the_bytes_of_a_plain_save_and_no_less_similarity() -> None:
    first, *rest = (Image.fromarray(frame) for frame in clip().frames)
    plain = io.BytesIO()
    first.save(plain, "GIF", save_all=True, append_images=rest, duration=125, loop=0)
    gif = drawn(clip())
    assert len(gif.data) < len(plain.getvalue()) / 2
    seen = np.stack([frame for frame, _ in shown(plain.getvalue())])
    differences = [np.abs(clip().frames.astype(int) - frames).mean() for frames in (gif.frames, seen)]
    assert differences[0] < 1.2 * differences[1]


def test_a_gif_takes_as_long_as_its_clip_although_its_clock_is_coarse() -> None:
    assert sum(duration for _, duration in shown(drawn(clip()).data)) == 1000


def test_a_frame_in_which_nothing_changes_still_takes_its_time() -> None:
    frames = clip().frames[[0, 0, 0, 1]]
    assert len(shown(drawn(Clip(frames=frames, fps=10)).data)) == 4


def test_a_palette_has_no_more_colours_than_asked_for() -> None:
    assert len(np.unique(palette_of(clip(), 16), axis=0)) <= 16


@pytest.mark.parametrize("file_format", ["gif", "webp", "apng"])
def test_a_picture_format_has_all_frames_at_their_pace_and_plays_for_ever(
    file_format: AnimationFormat,
) -> None:
    file = encoded(clip(), file_format)
    assert len(shown(file)) == 8
    with Image.open(io.BytesIO(file)) as image:
        assert image.info["loop"] == 0


def test_a_video_has_all_frames_at_their_pace_and_the_infotext() -> None:
    with av.open(io.BytesIO(encoded(clip(), "mp4")), "r") as container:
        (stream,) = container.streams.video
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert (float(stream.average_rate or 0), stream.codec_context.pix_fmt) == (8, "yuv420p")
        assert container.metadata["comment"] == INFOTEXT
    assert np.abs(np.stack(frames).astype(int) - clip().frames).mean() < 4


def test_a_video_of_odd_sides_loses_a_pixel() -> None:
    odd = Clip(frames=clip().frames[:3, :101, :99], fps=8)
    with av.open(io.BytesIO(encoded(odd, "mp4")), "r") as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (98, 100)


@pytest.mark.parametrize("share", [0.7, 0.25, 0.08])
def test_a_budget_is_kept_and_used(share: float) -> None:
    most = round(len(drawn(clip()).data) * share)
    fitted = gif_within(clip(), most)
    assert 0.5 * most < len(fitted.data) <= most
    assert fitted.similarity > 0.7
    assert sum(duration for _, duration in shown(fitted.data)) == 1000


def test_a_larger_budget_looks_better() -> None:
    whole = len(drawn(clip()).data)
    small, large = (gif_within(clip(), round(whole * share)).similarity for share in (0.1, 0.5))
    assert small < large < 1


def test_a_budget_that_fits_all_leaves_all() -> None:
    fitted = gif_within(clip(), 10_000_000)
    assert (fitted.width, fitted.height, fitted.frames) == (192, 192, 8)
    assert fitted.data == drawn(clip()).data


def test_a_budget_that_cannot_be_met_names_the_smallest_that_can() -> None:
    with pytest.raises(BudgetNotMet) as refused:
        gif_within(clip(), 1000)
    smallest = int(refused.value.data["smallest_kb"] or 0)
    assert 1 < smallest < 30
    assert len(gif_within(clip(), smallest * 1000).data) <= smallest * 1000


def test_what_is_seen_of_a_clip_is_less_the_more_is_left_out() -> None:
    gifs = [drawn(clip(), palette_of(clip(), colours)) for colours in (255, 64, 8)]
    seen = [similarity(clip(), gif) for gif in gifs]
    assert seen == sorted(seen, reverse=True)

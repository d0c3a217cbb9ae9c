"""The file that an animation is kept in."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from studio.animation.clip import Clip, clip_of, kept, opened
from studio.recipes import recipe_in, texts_in, with_recipe
from tests.moving import as_png, swaying

INFOTEXT = "a portrait\nSteps: 3, Sampler: DDIM, Seed: 1"


def test_a_clip_comes_back_as_it_was_kept() -> None:
    clip = Clip(frames=swaying(5, 64), fps=8, infotext=INFOTEXT)
    again = opened(kept(clip))
    assert (again.frames == clip.frames).all()
    assert (again.fps, again.infotext) == (8, INFOTEXT)


def test_equal_neighbours_stay_frames_of_their_own() -> None:
    frames = swaying(4, 64)[[0, 0, 1, 2, 2, 2]]
    assert (opened(kept(Clip(frames=frames, fps=10))).frames == frames).all()


def test_the_first_frame_is_the_picture_for_whoever_looks_at_one() -> None:
    frames = swaying(3, 64)
    with Image.open(io.BytesIO(kept(Clip(frames=frames, fps=8)))) as image:
        assert (np.asarray(image.convert("RGB")) == frames[0]).all()


def test_a_recipe_is_written_into_an_animation_without_stopping_it() -> None:
    clip = Clip(frames=swaying(4, 64), fps=8)
    marked = with_recipe(kept(clip), INFOTEXT, {"seed": 1})
    assert (opened(marked).frames == clip.frames).all()
    assert (recipe_in(marked), texts_in(marked)["parameters"]) == ({"seed": 1}, INFOTEXT)


def test_a_still_picture_is_a_clip_of_one_frame() -> None:
    frame = swaying(2, 64)[0]
    assert (clip_of([as_png(frame)], fps=8).frames == opened(as_png(frame)).frames).all()

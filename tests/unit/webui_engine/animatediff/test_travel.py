"""Prompts that change along a clip."""

from __future__ import annotations

import pytest
import torch

from webui_engine.animatediff.clip import between, travelled
from webui_engine.animatediff.travel import read_travel
from webui_engine.diffusion.conditioning import Conditioning, Guidance
from webui_engine.errors import WouldBeIgnored
from webui_engine.tasks import Clip, Loop


def test_a_plain_prompt_does_not_travel() -> None:
    assert read_travel("a woman\nred shirt, ratio 3:2", 16) == ()


def test_each_numbered_line_is_put_between_head_and_tail() -> None:
    prompt = "a woman\nred shirt\n0: smiling\n8: serious\nsoft light"
    assert read_travel(prompt, 16) == (
        (0, "a woman, red shirt, smiling, soft light"),
        (8, "a woman, red shirt, serious, soft light"),
    )


def test_the_first_other_line_ends_the_numbered_ones() -> None:
    assert read_travel("0: a\nb\n4: c", 16) == ((0, ", a, b, 4: c"),)


def test_a_frame_that_is_not_there_is_refused() -> None:
    with pytest.raises(WouldBeIgnored, match="16 frames"):
        read_travel("0: a\n16: b", 16)


def test_a_frame_lies_between_its_neighbouring_keys() -> None:
    assert between(4, [0, 8], 16, wraps=False) == (0, 1, 0.5)
    assert between(8, [0, 8], 16, wraps=False) == (1, 1, 0.0)
    assert between(15, [0, 8], 16, wraps=False) == (1, 1, 0.0)
    assert between(0, [3, 8], 16, wraps=False) == (0, 0, 0.0)


def test_a_way_that_wraps_leads_back_to_the_first_key() -> None:
    assert between(12, [0, 8], 16, wraps=True) == (1, 0, 0.5)
    assert between(0, [4, 12], 16, wraps=True) == (1, 0, 0.5)


def test_prompts_turn_into_one_another() -> None:
    vectors = torch.zeros(2, 2, 1, 2)
    vectors[1, 0, 0], vectors[1, 1, 0] = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    keys = Conditioning(((10, Guidance(vectors, (1.0,))),))
    clip = Clip(module="any", context=16, loop=Loop.LESS, travel=((0, "a"), (4, "b")))
    made = travelled(keys, clip, 6).at(1).vectors
    assert made.shape == (2, 6, 1, 2)
    assert torch.equal(made[1, 0, 0], torch.tensor([1.0, 0.0]))
    assert made[1, 2, 0].tolist() == pytest.approx([2**-0.5, 2**-0.5], abs=1e-6)
    assert torch.equal(made[1, 5, 0], torch.tensor([0.0, 1.0]))

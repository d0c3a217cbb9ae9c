from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings import infotexts
from webui_client.infotext import Infotext, compose, parse, quote, render, unquote

KEY_LETTERS = string.ascii_letters + string.digits + "_ -/"
keys = st.builds(
    lambda first, rest: (first + rest).rstrip(),
    st.sampled_from(string.ascii_letters),
    st.text(KEY_LETTERS, min_size=1, max_size=20),
).filter(lambda key: len(key) > 1)
values = st.text(max_size=40)
pairs_of_text = st.lists(st.tuples(keys, values), min_size=3, max_size=12, unique_by=lambda pair: pair[0])
all_pairs = pairs_of_text.map(tuple)


def holds_no_negative_line(text: str) -> bool:
    return not any(line.lstrip().startswith("Negative prompt:") for line in text.split("\n"))


prompts = st.text(max_size=80).map(str.strip).filter(holds_no_negative_line)


@settings(deadline=None)
@given(prompt=prompts, negative=prompts, pairs=all_pairs)
def test_what_is_written_is_read_back_the_same(
    prompt: str, negative: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    infotext = Infotext(prompt=prompt, negative_prompt=negative, settings=pairs)
    # A pair is written as the key alone when both are equal; fewer than three written pairs are prompt text.
    if sum(key != value for key, value in pairs) < 3:
        return
    assert parse(render(infotext)) == infotext


@settings(deadline=None)
@given(values)
def test_a_quoted_value_is_unquoted_to_itself(value: str) -> None:
    assert unquote(quote(value)) == value


def test_prompts_over_several_lines_are_kept() -> None:
    text = (
        "a cat,\n  (photo:1.2)\n\nBREAK\nNegative prompt: blurry\nugly\nSteps: 4, Sampler: Euler a, Seed: 1"
    )
    infotext = parse(text)
    assert infotext.prompt == "a cat,\n  (photo:1.2)\n\nBREAK"
    assert infotext.negative_prompt == "blurry\nugly"
    assert infotext.settings == (("Steps", "4"), ("Sampler", "Euler a"), ("Seed", "1"))
    assert render(infotext) == text


def test_a_last_line_with_fewer_than_three_pairs_is_prompt_text() -> None:
    assert parse("ratio: 3, mood: calm") == Infotext(prompt="ratio: 3, mood: calm")


def test_commas_colons_and_newlines_are_quoted_and_nothing_else_is() -> None:
    pairs = [("Note", "a, b"), ("Time", "1:2"), ("Lines", "x\ny"), ("Sampler", 'Euler "a"'), ("VAE", None)]
    assert compose("p", "", pairs) == ('p\nNote: "a, b", Time: "1:2", Lines: "x\\ny", Sampler: Euler "a"')


def test_a_value_equal_to_its_key_is_written_as_the_key_alone_and_read_back() -> None:
    infotext = Infotext(settings=(("Steps", "4"), ("Tiling", "Tiling"), ("Seed", "1"), ("Size", "8x8")))
    assert render(infotext) == "Steps: 4, Tiling, Seed: 1, Size: 8x8"
    assert parse(render(infotext)) == infotext


def test_letters_of_any_script_stay_readable() -> None:
    text = compose("서울의 밤", "", [("Steps", 4), ("Sampler", "Euler"), ("ADetailer prompt", "얼굴, 눈")])
    assert 'ADetailer prompt: "얼굴, 눈"' in text
    assert parse(text).get("ADetailer prompt") == "얼굴, 눈"


def test_lora_hashes_and_size_are_read() -> None:
    infotext = parse('<lora:jane:1> x\nSteps: 4, Size: 512x768, Lora hashes: "jane: ab, film: cd", Seed: 1')
    assert infotext.lora_hashes == {"jane": "ab", "film": "cd"}
    assert infotext.size == (512, 768)


def test_control_units_are_read_in_order() -> None:
    text = 'x\nSteps: 4, Seed: 1, ControlNet 0: "Module: canny, Model: a [b]", ControlNet 1: "Module: no"'
    assert parse(text).controlnet_units == ({"Module": "canny", "Model": "a [b]"}, {"Module": "no"})


@pytest.mark.parametrize("text", ["", "\n\n", ",,,", '"', "Negative prompt:", "a: b, c: d", "Steps: ,,: , :"])
def test_nonsense_is_read_without_an_error(text: str) -> None:
    parse(text)


def test_every_recorded_infotext_is_read_and_written_back_identically() -> None:
    texts = infotexts()
    assert len(texts) > 130
    assert [text for text in texts if render(parse(text)) != text] == []

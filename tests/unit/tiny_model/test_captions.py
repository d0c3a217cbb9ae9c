"""Captions say what the portrait shows, in the words of the studio's prompts."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tiny_model.captions import ANSWERS, attributes_said, caption, distracted
from tiny_model.portrait import random_portrait
from tiny_model.text import UNSAID, teaching_batch
from tiny_model.vocabulary import MAX_TOKENS, build_tokenizer

seeds = st.integers(0, 2**40)


@given(seeds, seeds)
def test_what_a_caption_says_is_true_of_its_portrait(seed: int, wording: int) -> None:
    portrait = random_portrait(seed)
    text = caption(portrait, wording)
    said = attributes_said(text, portrait)
    assert said["noun"] == portrait.noun
    assert all(word == UNSAID or word in ANSWERS[kind] for kind, word in said.items())
    if said["clothes_color"] != UNSAID:
        assert f"{portrait.clothes_color} {portrait.clothes}" in text


@given(seeds, seeds)
def test_a_caption_is_the_same_for_the_same_seeds(seed: int, wording: int) -> None:
    assert caption(random_portrait(seed), wording) == caption(random_portrait(seed), wording)


def test_captions_fit_into_the_77_tokens_even_with_idle_words_between() -> None:
    tokenizer, rng = build_tokenizer(), random.Random(0)
    captions = [distracted(caption(random_portrait(seed), seed), rng) for seed in range(200)]
    lengths = sorted(len(tokenizer(text).input_ids) for text in captions)
    assert lengths[len(lengths) * 95 // 100] <= MAX_TOKENS


def test_idle_words_change_nothing_of_what_is_said() -> None:
    portrait = random_portrait(11)
    text = caption(portrait, 1)
    said = attributes_said(text, portrait)
    after = distracted(text, random.Random(2))
    assert set(text.split(", ")) < set(after.split(", "))
    assert all(portrait_word in after for portrait_word in text.split(", "))
    assert said["noun"] == portrait.noun


def test_a_teaching_batch_numbers_every_attribute() -> None:
    texts, answers = teaching_batch(8, random.Random(0))
    assert len(texts) == 8
    assert set(answers) == set(ANSWERS)
    assert all(
        int(numbers.min()) >= 0 and int(numbers.max()) <= len(ANSWERS[kind])
        for kind, numbers in answers.items()
    )

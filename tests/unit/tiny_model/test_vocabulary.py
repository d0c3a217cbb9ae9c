"""The tokenizer: caption words whole, everything else in bytes."""

from __future__ import annotations

import pytest

from tiny_model.vocabulary import build_tokenizer, learn_merges, spell
from tiny_model.words import INSTANCE_TOKENS, vocabulary_words

START_AND_END = 2


def test_every_word_of_the_captions_is_one_token() -> None:
    tokenizer = build_tokenizer()
    split = [word for word in vocabulary_words() if len(tokenizer(word).input_ids) != 1 + START_AND_END]
    assert split == []


def test_instance_tokens_are_tokens_of_their_own() -> None:
    tokenizer = build_tokenizer()
    numbers = {tuple(tokenizer(word).input_ids) for word in INSTANCE_TOKENS}
    assert len(numbers) == len(INSTANCE_TOKENS)


@pytest.mark.parametrize("text", ["사진 한 장", "naïve café", "🙂", "x9_%", ""])
def test_any_text_can_be_read_and_written_back(text: str) -> None:
    tokenizer = build_tokenizer()
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True).strip().replace(
        " ", ""
    ) == text.replace(" ", "")


def test_merges_end_when_each_word_is_whole() -> None:
    assert learn_merges(["aab"]) == [("a", "a"), ("aa", "b</w>")]
    assert spell("ab") == ("a", "b</w>")

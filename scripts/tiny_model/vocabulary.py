"""The tokenizer of sajin-tiny: byte-level BPE in CLIP's form, learnt on the words of the captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from .words import vocabulary_words

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
MAX_TOKENS = 77
Pair = tuple[str, str]


def build_tokenizer() -> CLIPTokenizer:
    """A CLIPTokenizer in which each caption word is one token and any other text falls back to bytes.

    Padding is the end token, as in Stable Diffusion 1; sequences hold 77 tokens.
    """
    merges = learn_merges(vocabulary_words())
    letters = list(bytes_to_unicode().values())
    tokens = [
        *letters,
        *(letter + WORD_END for letter in letters),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=[*merges],
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=END,
        model_max_length=MAX_TOKENS,
    )


def learn_merges(words: Iterable[str]) -> list[Pair]:
    """Merge the most frequent neighbouring pair until every word is one token (Sennrich et al. 2016).

    Ties go to the pair first in the alphabet, so that the same words always give the same merges.
    """
    spelled = [spell(word) for word in words]
    merges: list[Pair] = []
    while pairs := Counter(pair for letters in spelled for pair in pairwise(letters)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [merge_pair(letters, best) for letters in spelled]
    return merges


def spell(word: str) -> tuple[str, ...]:
    """The word's UTF-8 bytes as CLIP's printable letters, the last one marked as the word's end."""
    table = bytes_to_unicode()
    letters = [table[byte] for byte in word.encode()]
    return (*letters[:-1], letters[-1] + WORD_END)


def merge_pair(letters: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    """letters with each occurrence of pair joined, from the left."""
    joined: list[str] = []
    for letter in letters:
        if joined and (joined[-1], letter) == pair:
            joined[-1] += letter
        else:
            joined.append(letter)
    return tuple(joined)

"""Captions of painted animals: the prompt library's name for the animal, then phrases as of a portrait."""

from __future__ import annotations

import random

from .animals import SPECIES, Animal, animal_at, sitter_at
from .captions import ANSWERS, SHUFFLED, attributes_said, caption, distracted, phrases_of

OPENINGS = (
    "{who}", "{who}", "{who}, close up", "photo of {a} {who}", "portrait of {a} {who}", "drawing of {a} {who}",
    "{who}, close up, face portrait, front face", "{who}, close up, face portrait",
)  # fmt: skip
UNWANTED = ("human", "person", "low quality", "blurry", "deformed", "extra eyes", "text", "watermark")
KEEP = {"background": 0.8, "light": 0.4, "expression": 0.6, "framing": 0.5, "turn": 0.5, "quality": 0.2}
NAMES: dict[str, str] = {species.words: name for name, species in SPECIES.items()}
DISTRACTED = 0.15
ANIMAL_ANSWERS = {
    "animal": tuple(SPECIES),
    **{
        kind: ANSWERS[kind]
        for kind in ("background_color", "background_kind", "light", "expression", "framing", "turn")
    },
}  # fmt: skip


def animal_caption(animal: Animal, seed: int) -> str:
    """One of the captions of animal: seed decides which phrases are said and in which order."""
    rng = random.Random(seed)
    phrases = phrases_of(animal.portrait, rng)
    said = [phrases[kind] for kind, share in KEEP.items() if rng.random() < share]
    if rng.random() < SHUFFLED:
        rng.shuffle(said)
    who = animal.species.words
    opening = rng.choice(OPENINGS).format(a="an" if who[0] in "aeiou" else "a", who=who)
    text = ", ".join([opening, *said])
    return distracted(text, rng) if rng.random() < DISTRACTED else text


def unwanted_words(rng: random.Random) -> str:
    """What prompts of the product say is not wanted, for any picture: guidance away from it must lead nowhere else."""
    said = [word for word in UNWANTED if rng.random() < 0.9]
    rng.shuffle(said)
    return ", ".join(said if rng.random() < 0.5 else UNWANTED)


def caption_at(number: int, seed: int) -> str:
    """A caption of painting number of the animals' set."""
    animal = animal_at(number)
    return caption(sitter_at("square", number), seed) if animal is None else animal_caption(animal, seed)


def said_at(text: str, number: int) -> dict[str, str]:
    """What text, a caption of painting number, says: kind to word, "unsaid" where it says nothing."""
    animal = animal_at(number)
    if animal is None:
        return {"animal": "unsaid", **attributes_said(text, sitter_at("square", number))}
    return {"animal": animal.name, **attributes_said(text, animal.portrait)}

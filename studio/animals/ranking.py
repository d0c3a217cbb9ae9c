"""Which animal a face resembles: the nearest neighbour among the animals' features, with the features shared."""

from __future__ import annotations

import math

from studio.library.animals import AnimalLibrary, AnimalSpec
from studio.values import AnimalMatch, Traits, Words

MOST_REASONS = 3
LEAST_SHARED = 0.2
FARTHEST = 2.5


def ranked(traits: Traits, library: AnimalLibrary) -> tuple[AnimalMatch, ...]:
    """Every animal, the nearest first; of equally near ones in the file's order.

    Faces and animals are points whose coordinates are the leanings of all traits, 0 where an animal is not marked.
    """
    leanings = {name: spec.leaning(getattr(traits, name)) for name, spec in library.traits.items()}
    matches = (_match(name, animal, leanings, library) for name, animal in library.animals.items())
    return tuple(sorted(matches, key=lambda match: -match.nearness))


def _match(name: str, animal: AnimalSpec, face: dict[str, float], library: AnimalLibrary) -> AnimalMatch:
    apart = math.sqrt(
        sum((lean - animal.traits.get(trait, 0.0)) ** 2 for trait, lean in face.items()) / len(face)
    )
    return AnimalMatch(
        animal=name,
        kind=animal.kind,
        title=animal.title,
        nearness=1 - apart / FARTHEST,
        reasons=_reasons(animal, face, library),
        rationale=animal.rationale,
        demonstrated=name in library.demonstrated,
    )


def _reasons(animal: AnimalSpec, face: dict[str, float], library: AnimalLibrary) -> tuple[Words, ...]:
    """What face and animal share, the strongest first; the library's plain words where that is nothing."""
    shared = {trait: lean * face[trait] for trait, lean in animal.traits.items()}
    strongest = sorted(
        (trait for trait, strength in shared.items() if strength >= LEAST_SHARED),
        key=lambda trait: -shared[trait],
    )
    words = tuple(
        library.traits[trait].high if face[trait] > 0 else library.traits[trait].low
        for trait in strongest[:MOST_REASONS]
    )
    return words or (library.plain,)

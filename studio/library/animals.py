"""The animals a face can be likened to: their words, their features, and how features of faces are read. All data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationInfo, field_validator

from studio.library.checked import read_checked
from studio.library.product import Spec
from studio.values import PresetProblem, Traits, Words

FILE = "animals.yaml"
AnimalName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)]
Leaning = Annotated[float, Field(ge=-1, le=1)]


class TraitSpec(Spec):
    """How a measured trait is read. middle: of people; spread: from there to a face in which it stands out.

    low, high: what a face far below or above the middle is said to have.
    """

    middle: float
    spread: Annotated[float, Field(gt=0)]
    low: Words
    high: Words

    def leaning(self, value: float) -> float:
        """Where a measured value lies: 0 in the middle, -1 and 1 where it stands out, at most 1.5 either way."""
        return min(max((value - self.middle) / self.spread, -1.5), 1.5)


class AnimalSpec(Spec):
    """One animal. prompt: what it is called in a prompt. traits: its leaning in each trait that marks it, -1 to 1.

    rationale: what of the animal the traits stand for.
    """

    title: Words
    kind: Literal["dog", "other"]
    prompt: Annotated[str, StringConstraints(pattern=r"^[^{}|_<>:()]+$", max_length=200)]
    traits: Annotated[dict[str, Leaning], Field(min_length=2)]
    rationale: Words

    @field_validator("traits")
    @classmethod
    def _traits_are_measured(cls, traits: dict[str, float]) -> dict[str, float]:
        _require_measured(traits)
        return traits


class DemonstrationSpec(Spec):
    """How Sajin's own small checkpoint draws animals, which it cannot by itself; no other checkpoint is asked for this.

    checkpoint: its bare name. lora, weight: what it learnt them in. animals: those that it learnt.
    """

    checkpoint: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    lora: Annotated[str, StringConstraints(pattern=r"^[^:<>]+$", max_length=200)]
    weight: Annotated[float, Field(ge=-2, le=2)] = 1.0
    animals: Annotated[tuple[AnimalName, ...], Field(min_length=1)]


class AnimalLibrary(Spec):
    """All animals by name. plain: what is said of a face that shares no marked feature with an animal."""

    plain: Words = Words(en="", ko="")
    traits: dict[str, TraitSpec] = Field(default_factory=dict)
    animals: dict[AnimalName, AnimalSpec] = Field(default_factory=dict)
    demonstration: DemonstrationSpec | None = None

    @property
    def demonstrated(self) -> tuple[str, ...]:
        """The animals that the demonstration model has learnt to draw."""
        return self.demonstration.animals if self.demonstration else ()

    @field_validator("traits")
    @classmethod
    def _every_trait_is_read(cls, traits: dict[str, TraitSpec]) -> dict[str, TraitSpec]:
        _require_measured(traits)
        missing = [name for name in Traits.model_fields if name not in traits]
        if missing:
            raise ValueError(f"lacks {', '.join(missing)}")
        return traits

    @field_validator("animals")
    @classmethod
    def _no_two_are_alike(cls, animals: dict[str, AnimalSpec]) -> dict[str, AnimalSpec]:
        names = list(animals)
        for number, name in enumerate(names):
            twin = next(
                (other for other in names[:number] if animals[other].traits == animals[name].traits), None
            )
            if twin is not None:
                raise ValueError(f"{name} has the traits of {twin}")
        return animals

    @field_validator("demonstration")
    @classmethod
    def _learnt_animals_are_there(
        cls, demonstration: DemonstrationSpec | None, info: ValidationInfo
    ) -> DemonstrationSpec | None:
        known = info.data.get("animals")
        if demonstration is None or known is None:
            return demonstration
        if unknown := [name for name in demonstration.animals if name not in known]:
            raise ValueError(f"there is no animal {', '.join(unknown)}")
        return demonstration


ANIMALS = TypeAdapter(AnimalLibrary)


def _require_measured(traits: Mapping[str, object]) -> None:
    unknown = [name for name in traits if name not in Traits.model_fields]
    if unknown:
        raise ValueError(
            f"no trait is called {', '.join(unknown)}; there are {', '.join(Traits.model_fields)}"
        )


def read_animals(folder: Path) -> tuple[AnimalLibrary, list[PresetProblem]]:
    """Read the folder's animals.yaml; none without the file. What is wrong comes beside an empty library."""
    file = folder / FILE
    if not file.exists():
        return AnimalLibrary(), []
    read = read_checked(file, ANIMALS)
    return (AnimalLibrary(), read) if isinstance(read, list) else (read.value, [])

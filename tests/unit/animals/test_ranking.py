"""Which animal a face is like: the shipped animals, the reasons, and files that do not hold together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.animals.ranking import ranked
from studio.errors import BrokenLibrary
from studio.library.animals import AnimalLibrary, read_animals
from studio.library.reading import read_library
from studio.settings import REPOSITORY
from studio.values import Traits

SHIPPED: dict[str, Any] = yaml.safe_load(
    (REPOSITORY / "prompts" / "animals.yaml").read_text(encoding="utf-8")
)


def face(animals: AnimalLibrary, **leanings: float) -> Traits:
    """A face that is like most people but for these leanings."""
    return Traits.model_validate(
        {name: spec.middle + spec.spread * leanings.get(name, 0) for name, spec in animals.traits.items()}
    )


def test_there_are_at_least_twenty_animals_most_of_them_dogs(animals: AnimalLibrary) -> None:
    assert len(animals.animals) >= 20
    assert sum(animal.kind == "dog" for animal in animals.animals.values()) >= 10
    for animal in animals.animals.values():
        assert all((animal.title.en, animal.title.ko, animal.rationale.en, animal.rationale.ko))


def test_drooping_eyes_and_a_long_face_are_a_basset_hound(animals: AnimalLibrary) -> None:
    first = ranked(face(animals, eye_droop=1.2, face_length=1), animals)[0]
    assert first.title.en == "Basset hound"
    assert [reason.en for reason in first.reasons] == ["drooping eyes", "long face"]
    assert [reason.ko for reason in first.reasons] == ["처진 눈꼬리", "긴 얼굴"]


@pytest.mark.parametrize("name", sorted(SHIPPED["animals"]))
def test_a_face_with_an_animals_features_is_most_like_that_animal(animals: AnimalLibrary, name: str) -> None:
    matches = ranked(face(animals, **animals.animals[name].traits), animals)
    assert matches[0].animal == name
    assert matches[0].nearness == pytest.approx(1)
    assert len({match.animal for match in matches}) == len(animals.animals)
    assert all(0 <= match.nearness <= 1 for match in matches)


def test_an_animal_says_whether_the_demonstration_model_has_learnt_it(animals: AnimalLibrary) -> None:
    learnt = {match.animal for match in ranked(face(animals), animals) if match.demonstrated}
    assert learnt == set(animals.demonstrated)
    assert 6 <= len(learnt) < len(animals.animals)


def test_a_face_like_most_people_is_said_to_have_nothing_that_stands_out(animals: AnimalLibrary) -> None:
    assert ranked(face(animals), animals)[0].reasons == (animals.plain,)


def test_the_strangest_faces_stay_within_the_scale(animals: AnimalLibrary) -> None:
    for side in (-100, 100):
        matches = ranked(face(animals, **dict.fromkeys(animals.traits, side)), animals)
        assert all(0 <= match.nearness <= 1 for match in matches)


def broken(folder: Path, change: Any) -> list[tuple[str, str]]:
    """(key, reason) of everything wrong in the shipped file after a change."""
    data = yaml.safe_load(yaml.safe_dump(SHIPPED, allow_unicode=True))
    change(data)
    (folder / "animals.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    library, problems = read_animals(folder)
    assert library.animals == {}
    assert all(problem.file == "animals.yaml" and problem.line > 0 for problem in problems)
    return [(problem.key, problem.reason) for problem in problems]


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (lambda data: data["animals"]["cat"]["traits"].update(whiskers=1), "animals.cat.traits", "whiskers"),
        (
            lambda data: data["animals"]["cat"]["traits"].update(eye_size=3),
            "animals.cat.traits.eye_size",
            "less",
        ),
        (lambda data: data["animals"]["cat"].pop("rationale"), "animals.cat.rationale", "required"),
        (lambda data: data["animals"]["cat"]["title"].pop("ko"), "animals.cat.title.ko", "required"),
        (lambda data: data["animals"]["cat"].update(prompt="{cat|dog}"), "animals.cat.prompt", "pattern"),
        (lambda data: data["traits"].pop("eye_droop"), "traits", "eye_droop"),
        (lambda data: data["traits"]["eye_droop"].update(spread=0), "traits.eye_droop.spread", "greater"),
        (
            lambda data: data["animals"]["cat"].update(traits=dict(data["animals"]["wolf"]["traits"])),
            "animals",
            "has the traits of",
        ),
        (
            lambda data: data["demonstration"]["animals"].append("unicorn"),
            "demonstration",
            "no animal unicorn",
        ),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, change: Any, key: str, reason: str) -> None:
    found = broken(tmp_path, change)
    assert [place for place, _ in found] == [key]
    assert reason in found[0][1]


def test_a_broken_file_of_animals_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "animals.yaml").write_text("animals: {cat: 3}\n", encoding="utf-8")
    with pytest.raises(BrokenLibrary, match=r"animals\.yaml:1: animals\.cat"):
        read_library(REPOSITORY / "presets" / "none", tmp_path)

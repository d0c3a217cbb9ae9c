"""Presets and prompts: read strictly, and every problem says where it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import BrokenLibrary
from studio.library.product import Img2ImgSpec, StageSpec, preset_schema
from studio.library.reading import Library, read_library
from studio.settings import REPOSITORY
from studio.values import PresetProblem

GOOD = """\
title: {en: Plain, ko: 기본}
identity: none
prompt: photo of a {subject}
stages:
  first:
    use: txt2img
    steps: 10
"""


def problems_of(folder: Path, **files: str) -> tuple[PresetProblem, ...]:
    """What reading a folder of presets complains about."""
    presets, prompts = folder / "presets", folder / "prompts"
    presets.mkdir()
    prompts.mkdir()
    for name, text in files.items():
        (presets / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BrokenLibrary) as broken:
        read_library(presets, prompts)
    return broken.value.problems


def test_every_shipped_preset_is_valid_and_titled_in_both_languages(library: Library) -> None:
    assert len(library.products) >= 6
    for product in library.products.values():
        assert product.spec.title.en
        assert product.spec.title.ko


def test_the_studio_profile_is_the_chain_of_three_stages(library: Library) -> None:
    stages = library.products["studio-profile"].spec.stages
    assert [(name, stage.use) for name, stage in stages.items()] == [
        ("skeleton", "txt2img"),
        ("tone", "img2img"),
        ("upscale", "upscale"),
    ]
    skeleton, tone, upscale = (stage for stage in stages.values() if isinstance(stage, StageSpec))
    assert skeleton.adetailer
    assert tone.adetailer
    assert upscale.controlnet[0].unit == "tile_resample"


def test_some_presets_need_no_learned_identity(library: Library) -> None:
    assert any(product.spec.identity == "none" for product in library.products.values())


def test_the_schema_for_editors_is_the_one_the_code_gives() -> None:
    kept = json.loads((REPOSITORY / "presets" / "preset.schema.json").read_text(encoding="utf-8"))
    assert kept == preset_schema(), "write it anew with scripts/write_preset_schema.py"


def test_broken_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, broken="title: {en: A, ko: B}\nstages: [\n")
    assert problem.file == "broken.yaml"
    assert problem.line == 3
    assert "not YAML" in problem.reason


def test_an_unknown_key_is_reported_with_file_line_and_key(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, wrong=GOOD + "    stepz: 3\n")
    assert (problem.file, problem.line, problem.key) == ("wrong.yaml", 8, "stages.first.stepz")
    assert problem.reason == "is not a key of a preset"


def test_a_value_out_of_range_is_reported_where_it_stands(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, wrong=GOOD.replace("steps: 10", "steps: 1000"))
    assert (problem.line, problem.key) == (7, "stages.first.steps")
    assert "150" in problem.reason


def test_a_missing_prompt_entry_is_reported(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, wrong=GOOD.replace("photo of a {subject}", "portrait/nowhere"))
    assert (problem.line, problem.key) == (3, "prompt")
    assert problem.reason == "there is no prompt entry 'portrait/nowhere'"


def test_a_missing_wildcard_is_reported(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, wrong=GOOD.replace("photo of", "__hats__ on"))
    assert problem.reason == "there is no wildcard hats"


def test_an_unbalanced_brace_in_a_prompt_is_reported(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, wrong=GOOD.replace("photo of a {subject}", '"photo {red|blue"'))
    assert problem.key == "prompt"


def test_a_circular_extends_is_reported_for_every_preset_in_the_circle(tmp_path: Path) -> None:
    found = problems_of(tmp_path, one="extends: two\n", two="extends: one\n")
    assert {problem.file for problem in found} == {"one.yaml", "two.yaml"}
    assert all("circle" in problem.reason and problem.key == "extends" for problem in found)


def test_an_unknown_parent_is_reported(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, child="extends: nobody\n" + GOOD)
    assert problem.reason == "there is no preset 'nobody'"


def test_a_doubled_key_and_an_alias_are_refused(tmp_path: Path) -> None:
    found = problems_of(tmp_path, twice=GOOD + "identity: lora\n", alias="title: &t {en: A, ko: B}\nx: *t\n")
    assert {(problem.file, problem.line) for problem in found} == {("twice.yaml", 8), ("alias.yaml", 2)}


def test_a_file_name_that_is_no_preset_name_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, Loud=GOOD)
    assert problem.file == "Loud.yaml"


def test_a_wrong_tone_stops_the_start_with_file_line_and_key(tmp_path: Path) -> None:
    presets, prompts = tmp_path / "presets", tmp_path / "prompts"
    presets.mkdir()
    prompts.mkdir()
    titles = "title: {en: A, ko: 가}, description: {en: A, ko: 가}"
    text = (
        f"soft: {{{titles}, prompt: 'a {{red|blue'}}\nhard: {{{titles}, prompt: b, denoising_strength: 2}}\n"
    )
    for content, line, key in (
        (text, 2, "hard.denoising_strength"),
        (text.splitlines()[0], 1, "soft.prompt"),
    ):
        (prompts / "tones.yaml").write_text(content, encoding="utf-8")
        with pytest.raises(BrokenLibrary) as broken:
            read_library(presets, prompts)
        assert [(found.file, found.line, found.key) for found in broken.value.problems] == [
            ("tones.yaml", line, key)
        ]


def test_loras_may_be_spelled_in_one_line(library: Library) -> None:
    product, problems = library.check("extends: film\nloras: 'film:0.4, skin'\n")
    assert problems == []
    assert product is not None
    assert [(lora.name, lora.weight) for lora in product.spec.loras or ()] == [
        (("film",), 0.4),
        (("skin",), 0.6),
    ]


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path, one=GOOD + "    stepz: 3\n", two=GOOD.replace("identity: none", "identity: maybe")
    )
    assert {problem.file for problem in found} == {"one.yaml", "two.yaml"}


def test_a_child_inherits_what_it_does_not_say(library: Library) -> None:
    parent, child = library.products["studio-profile"].spec, library.products["business"].spec
    assert child.stages["upscale"] == parent.stages["upscale"]
    tones = child.stages["tone"], parent.stages["tone"]
    assert len({tone.denoising_strength for tone in tones if isinstance(tone, Img2ImgSpec)}) == 2


def test_the_version_changes_with_the_content_and_only_with_it(library: Library) -> None:
    first, _ = library.check(GOOD)
    again, _ = library.check(GOOD + "# a comment\n")
    other, _ = library.check(GOOD.replace("steps: 10", "steps: 11"))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.version == again.version
    assert first.version != other.version


def test_an_upscale_cannot_come_first(library: Library) -> None:
    _, problems = library.check(GOOD.replace("use: txt2img", "use: upscale"))
    assert any("first stage" in problem.reason for problem in problems)


def test_a_broken_prompt_file_stops_the_start_with_file_and_line(tmp_path: Path) -> None:
    presets, prompts = tmp_path / "presets", tmp_path / "prompts"
    presets.mkdir()
    prompts.mkdir()
    (prompts / "portrait.yaml").write_text("studio:\n  prompt: a\n  mood: b\n", encoding="utf-8")
    with pytest.raises(BrokenLibrary, match=r"portrait\.yaml:3: studio\.mood"):
        read_library(presets, prompts)

"""Documents as data: what is shipped holds together, and a rule that contradicts itself is refused where it stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from studio.errors import BrokenLibrary
from studio.id_photo.documents import DocumentSpec, document_schema, pixels_of
from studio.id_photo.reading import IdDocument, check_document, read_documents
from studio.settings import REPOSITORY

RULE = """title: {en: Test card, ko: 시험 카드}
country: KR
kind: other
width: 35
height: 45
head: {min: 32, max: 36}
top: {min: 2, max: 7}
background: {colours: ["#ffffff"], tolerance: 10}
kilobytes: {min: 20, max: 200}
changes: none
source:
  authority: {en: Nobody, ko: 없음}
  date: "2026-11"
"""


def problem(text: str) -> tuple[int, str, str]:
    """The one problem of a document: line, key, reason."""
    document, problems = check_document(text, "test-card")
    assert document is None
    assert len(problems) == 1, problems
    assert problems[0].file == "test-card.yaml"
    return problems[0].line, problems[0].key, problems[0].reason


def test_a_sound_rule_is_read() -> None:
    document, problems = check_document(RULE, "test-card")
    assert problems == []
    assert document is not None
    assert document.spec.size() == (413, 531)


def test_at_least_twenty_five_documents_are_shipped(documents: Mapping[str, IdDocument]) -> None:
    assert len(documents) >= 25
    assert {
        "kr-passport",
        "kr-resident-card",
        "kr-driving-licence",
        "kr-resume-3x4",
        "kr-resume-35x45",
    } <= set(documents)
    assert {"us-passport", "us-visa", "schengen-visa", "uk-passport", "jp-passport", "cn-passport"} <= set(
        documents
    )
    assert {"in-passport", "ca-passport"} <= set(documents)


def test_every_document_names_its_authority_in_both_languages(documents: Mapping[str, IdDocument]) -> None:
    for document in documents.values():
        source = document.spec.source
        assert source.authority.en
        assert source.authority.ko
        assert source.url is not None or document.spec.kind in ("resume", "other"), document.name


@pytest.mark.parametrize("dpi", [150, 300, 600])
def test_pixels_are_derived_from_millimetres(documents: Mapping[str, IdDocument], dpi: int) -> None:
    for document in documents.values():
        size = document.spec.size(dpi)
        assert size == (pixels_of(document.spec.width, dpi), pixels_of(document.spec.height, dpi))
        assert abs(size[0] * 25.4 / dpi - document.spec.width) <= 25.4 / dpi / 2 + 1e-9


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "reason"),
    [
        ("head: {min: 32, max: 36}", "head: {min: 36, max: 32}", 6, "head", "min 36 is more than max 32"),
        (
            "head: {min: 32, max: 36}",
            "head: {min: 32, max: 46}",
            6,
            "head",
            "does not fit into a height of 45 mm",
        ),
        ("top: {min: 2, max: 7}", "top: {min: 20, max: 30}", 7, "top", "no face can keep all of them"),
        (
            "top: {min: 2, max: 7}",
            "eyes: {min: 5, max: 10}\ntop: {min: 2, max: 4}",
            7,
            "eyes",
            "contradicts head",
        ),
        ("top: {min: 2, max: 7}", "eyes: {min: 40, max: 50}", 7, "eyes", "does not fit into a height"),
        ("top: {min: 2, max: 7}\n", "", 6, "head", "needs eyes or top"),
        ("{min: 20, max: 200}", "{min: 300, max: 200}", 9, "kilobytes", "leaves no room"),
        (
            "changes: none",
            "pixels: {min: [600, 600], max: [1200, 1200]}\nchanges: none",
            1,
            "dpi",
            "413 x 531",
        ),
        ('"#ffffff"', "white", 8, "background.colours.0", "should match pattern"),
        ("changes: none", "changes: everything", 10, "changes", "should be"),
        ("changes: none", "changes: none\nflash: true", 11, "flash", "is not a key of a document"),
        ("height: 45", "", 1, "height", "is missing"),
        ("width: 35", "width: 35\nwidth: 36", 5, "width", "stands here twice"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_with_line_key_and_reason(
    old: str, new: str, line: int, key: str, reason: str
) -> None:
    assert old in RULE
    text = RULE.replace(old, new, 1)
    found = [entry for entry in check_document(text, "test-card")[1] if entry.key == key]
    assert [(entry.line, entry.file) for entry in found] == [(line, "test-card.yaml")]
    assert reason in found[0].reason


def test_every_key_of_a_rule_is_documented() -> None:
    page = (REPOSITORY / "docs" / "id-photos.md").read_text(encoding="utf-8")
    assert [key for key in DocumentSpec.model_fields if f"`{key}`" not in page] == []


def test_the_schema_for_editors_is_the_codes_own() -> None:
    kept = json.loads((REPOSITORY / "presets" / "id" / "document.schema.json").read_text(encoding="utf-8"))
    assert kept == document_schema(), "write it anew with scripts/write_preset_schema.py"


def test_all_problems_of_a_folder_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(RULE.replace("changes: none", "changes: all"), encoding="utf-8")
    (tmp_path / "two.yaml").write_text(
        RULE.replace("{min: 32, max: 36}", "{min: 36, max: 32}"), encoding="utf-8"
    )
    (tmp_path / "three.yaml").write_text("- a list", encoding="utf-8")
    with pytest.raises(BrokenLibrary) as refused:
        read_documents(tmp_path)
    assert {entry.file for entry in refused.value.problems} == {"one.yaml", "two.yaml", "three.yaml"}
    assert "two.yaml:6: head: min 36 is more than max 32" in str(refused.value)

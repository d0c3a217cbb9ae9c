"""The texts: complete in both languages, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import gradio_app
from gradio_app.frame import PAGES
from gradio_app.place import STEPS
from gradio_app.words import LANGUAGES, language_for, words_in

PACKAGE = Path(gradio_app.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
TEMPLATES = sorted((PACKAGE / "templates").glob("*.html"))
SHOWN = {"label", "info", "placeholder", "title", "text", "description", "summary"}
"""Arguments whose values people read."""

OPEN_FAMILIES = ("class_noun", "product", "option", "capability", "subject.state", "photo.status", "status",
                 "server.status", "picture.measure", "id_photo.papers", "frame.nav", "frame.short", "frame.language",
                 "studio.learn.trainers", "studio.learn.methods", "picture.described")  # fmt: skip
"""Beginnings of keys that the code completes with a code of the API."""


def placeholders(text: str) -> set[str]:
    """The names in {braces} of a text."""
    return {name.split(":")[0] for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(words_in("ko").texts) == set(words_in("en").texts)


def test_no_text_is_missing_or_blank() -> None:
    blank = [
        (language, key)
        for language in LANGUAGES
        for key, text in words_in(language).texts.items()
        if not text
    ]
    assert blank == []


def test_both_languages_fill_in_the_same_values() -> None:
    korean, english = words_in("ko").texts, words_in("en").texts
    differing = [key for key in english if placeholders(korean[key]) != placeholders(english[key])]
    assert differing == []


def test_korean_is_written_in_korean() -> None:
    same = {key for key, text in words_in("ko").texts.items() if text == words_in("en").texts[key]}
    neutral = {
        key for key in same if not re.search("[a-z]{3}", re.sub(r"\{.*?\}", "", words_in("en").texts[key]))
    }
    names = {"frame.brand_latin", "frame.language.en", "frame.language.ko"}
    assert same - neutral - names <= {"people.adapter_name", "capability.loras"}


def literal_texts(tree: ast.AST) -> Iterator[str]:
    """Every string constant given to an argument that people read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in SHOWN and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_text_stands_in_code(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    words = [text for text in literal_texts(ast.parse(source)) if re.search("[A-Za-z가-힣]", text)]
    assert words == []
    assert not re.search("[가-힣]", source)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_text_stands_in_a_template(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<(code|pre)>.*?</\1>", " ", source, flags=re.DOTALL)
    between_tags = re.sub(r"<[^>]*>", " ", re.sub(r'[\w-]+="[^"]*"', " ", bare))
    assert re.findall("[A-Za-z가-힣]+", between_tags) == []
    assert re.findall(r'(?:alt|title|aria-label|placeholder)="[^"{]*[A-Za-z가-힣]', source) == []


def used_keys() -> set[str]:
    """Every literal that could be a key, in code and templates."""
    sources = [path.read_text(encoding="utf-8") for path in [*MODULES, *TEMPLATES]]
    return {key for source in sources for key in re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)+)["']""", source)}


def test_every_text_is_used() -> None:
    used = used_keys()
    counted = {f"{key}.{number}" for key in used for number in ("one", "other")}
    steps = {f"studio.{step}.title" for step in STEPS}
    pages = {f"{name}.{part}" for name, _ in PAGES for part in ("title", "lead")}
    known = used | counted | steps | pages
    unused = [key for key in words_in("en").texts if key not in known and not key.startswith(OPEN_FAMILIES)]
    assert unused == []


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-GB,en;q=0.9,ko;q=0.5", "en"),
        ("fr,ko;q=0.4", "ko"),
        ("de", "en"),
        ("ko;q=0", "en"),
        ("ko;q=nonsense", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_language_is_the_one_the_browser_prefers(header: str | None, language: str) -> None:
    assert language_for(header) == language


def test_times_are_told_roughly() -> None:
    words = words_in("en")
    assert [words.duration(seconds) for seconds in (None, 0.2, 41.4, 200)] == [
        "", "about 1 s", "about 41 s", "about 3 min",
    ]  # fmt: skip


def test_counts_use_the_right_form() -> None:
    words = words_in("en")
    assert words.counted("jobs.pictures", 1) == "1 picture"
    assert words.counted("jobs.pictures", 2) == "2 pictures"

"""A1111's prompt syntax."""

from __future__ import annotations

import pytest

from webui_engine.diffusion.prompt_editing import schedule_prompt
from webui_engine.diffusion.prompts import (
    NetworkTag,
    Weighted,
    extract_networks,
    parse_attention,
    split_composition,
)


@pytest.mark.parametrize(
    ("prompt", "stretches"),
    [
        ("a cat", [("a cat", 1.0)]),
        ("a (red) cat", [("a ", 1.0), ("red", 1.1), (" cat", 1.0)]),
        ("a ((red)) cat", [("a ", 1.0), ("red", 1.21), (" cat", 1.0)]),
        ("a [red] cat", [("a ", 1.0), ("red", 1 / 1.1), (" cat", 1.0)]),
        ("(a:1.3) b", [("a", 1.3), (" b", 1.0)]),
        ("(a (b:2) c:0.5)", [("a ", 0.5), ("b", 1.0), (" c", 0.5)]),
        (r"\(literal\) \[too\] \\", [(r"(literal) [too] " + "\\", 1.0)]),
        ("(open to the end", [("open to the end", 1.1)]),
        ("closed) too soon]", [("closed) too soon]", 1.0)]),
        ("10:30 o'clock", [("10:30 o'clock", 1.0)]),
        ("", []),
    ],
)
def test_brackets_weigh_what_they_hold(prompt: str, stretches: list[tuple[str, float]]) -> None:
    (group,) = parse_attention(prompt)

    assert [part.text for part in group] == [text for text, _ in stretches]
    assert [part.weight for part in group] == pytest.approx([weight for _, weight in stretches])


def test_break_begins_a_new_group_and_swallows_the_blanks_around_it() -> None:
    assert parse_attention("a BREAK (b BREAK c:2)") == (
        (Weighted("a", 1.0),),
        (Weighted("b", 2.0),),
        (Weighted("c", 2.0),),
    )


def test_breakfast_is_no_break() -> None:
    assert len(parse_attention("BREAKFAST table")) == 1


@pytest.mark.parametrize(
    ("prompt", "tag"),
    [
        ("<lora:anna>", NetworkTag("lora", "anna", 1.0, 1.0)),
        ("<lora:anna:0.7>", NetworkTag("lora", "anna", 0.7, 0.7)),
        ("<lora:anna:0.7:0.2>", NetworkTag("lora", "anna", 0.7, 0.2)),
        ("<lyco:anna:te=0.3:unet=0.9>", NetworkTag("lyco", "anna", 0.3, 0.9)),
        ("<lora:anna:loud>", NetworkTag("lora", "anna", 1.0, 1.0)),
    ],
)
def test_network_tags_are_read_and_taken_out_of_the_prompt(prompt: str, tag: NetworkTag) -> None:
    assert extract_networks(f"a {prompt}b") == ("a b", (tag,))


def test_a_hypernetwork_tag_is_taken_out_and_does_nothing() -> None:
    assert extract_networks("a <hypernet:x:1>b") == ("a b", ())


def test_and_joins_prompts_with_weights() -> None:
    assert split_composition("a cat AND a dog :1.2 AND bird :-0.5") == (
        Weighted("a cat", 1.0),
        Weighted(" a dog", 1.2),
        Weighted(" bird", -0.5),
    )


def test_a_prompt_without_and_is_kept_to_the_letter() -> None:
    assert split_composition("at 10:30 in SAND ") == (Weighted("at 10:30 in SAND ", 1.0),)


@pytest.mark.parametrize(
    ("prompt", "changes"),
    [
        ("plain", [(10, "plain")]),
        ("a [cat:dog:4] b", [(4, "a cat b"), (10, "a dog b")]),
        ("a [cat:dog:0.5] b", [(5, "a cat b"), (10, "a dog b")]),
        ("a [dog:0.2]", [(2, "a "), (10, "a dog")]),
        ("a [dog::3]", [(3, "a dog"), (10, "a ")]),
        ("[a [b:c:2]:d:6]", [(2, "a b"), (6, "a c"), (10, "d")]),
        ("[(a:1.2):b:5]", [(5, "(a:1.2)"), (10, "b")]),
        ("[less] [a:b]", [(10, "[less] [a:b]")]),
        (r"\[a:b:3\]", [(10, r"\[a:b:3\]")]),
        ("[open", [(10, "[open")]),
    ],
)
def test_prompt_editing_changes_the_prompt_at_its_step(prompt: str, changes: list[tuple[int, str]]) -> None:
    assert [(part.last, part.text) for part in schedule_prompt(prompt, 10)] == changes


def test_alternatives_take_turns() -> None:
    assert [part.text for part in schedule_prompt("[a|b|c]", 4)] == ["a", "b", "c", "a"]


def test_in_the_second_pass_steps_count_on_and_shares_run_from_one_to_two() -> None:
    texts = {
        text: schedule_prompt(text, 10, earlier_steps=20) for text in ("[a:b:25]", "[a:b:1.5]", "[a:b:0.5]")
    }

    assert [(part.last, part.text) for part in texts["[a:b:25]"]] == [(5, "a"), (10, "b")]
    assert [(part.last, part.text) for part in texts["[a:b:1.5]"]] == [(5, "a"), (10, "b")]
    assert [(part.last, part.text) for part in texts["[a:b:0.5]"]] == [(10, "b")]

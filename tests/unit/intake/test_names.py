"""Names of uploads are for showing only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.intake.names import LONGEST_NAME, display_name


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\face.png", "face.png"),
        ("a\"b'c`.jpg", "abc.jpg"),
        ("nul\0l.jpg", "null.jpg"),
        ("사진 😀.heic", "사진 😀.heic"),
        ("  two \t words\n.jpg ", "two words.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("..", "photo"),
        ("", "photo"),
    ],
)
def test_a_name_is_cleaned_for_showing(sent: str, shown: str) -> None:
    assert display_name(sent) == shown


def test_a_name_of_300_letters_is_shortened_and_keeps_its_ending() -> None:
    shown = display_name("x" * 300 + ".jpeg")

    assert len(shown) <= LONGEST_NAME
    assert shown.endswith(".jpeg")


@given(st.text(max_size=400))
def test_no_name_ever_holds_a_path_or_a_control_sign(sent: str) -> None:
    shown = display_name(sent)

    assert 0 < len(shown) <= LONGEST_NAME
    assert not set(shown) & set("/\\\0\n\r\"'<>")
    assert shown not in {".", ".."}
    shown.encode()

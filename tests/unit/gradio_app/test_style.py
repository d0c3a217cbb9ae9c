"""The colours can be read: WCAG 2.2 AA, in light and in dark."""

import re
from pathlib import Path

import pytest

import gradio_app

STYLE = (Path(gradio_app.__file__).parent / "style" / "sajin.css").read_text(encoding="utf-8")
LEAST_FOR_TEXT = 4.5
LEAST_FOR_EDGES = 3.0
ON_PAPER = [
    (ink, paper) for ink in ("ink", "ink-soft", "clay", "good", "warn", "bad") for paper in ("paper", "sheet")
]
ON_COLOUR = [("on-clay", "clay"), ("good", "good-soft"), ("warn", "warn-soft"), ("bad", "bad-soft"),
             ("clay-deep", "clay-soft"), ("ink", "clay-soft")]  # fmt: skip


def palette(selector: str) -> dict[str, str]:
    """The colours defined at a selector, as #rrggbb by name."""
    block = STYLE.split(f"{selector} {{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Relative luminance, 0..1 (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast of two colours, 1..21 (WCAG 2.2)."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("selector", [":root", "body.dark"])
@pytest.mark.parametrize(("ink", "paper"), [*ON_PAPER, *ON_COLOUR])
def test_text_stands_out_from_what_it_is_written_on(selector: str, ink: str, paper: str) -> None:
    colours = palette(selector)
    assert contrast(colours[ink], colours[paper]) >= LEAST_FOR_TEXT


@pytest.mark.parametrize("selector", [":root", "body.dark"])
def test_edges_of_fields_and_buttons_can_be_seen(selector: str) -> None:
    colours = palette(selector)
    assert contrast(colours["line-strong"], colours["sheet"]) >= LEAST_FOR_EDGES

"""The colours, type and shapes that Gradio's own components take; sajin.css does the rest."""

import gradio as gr
from gradio.themes.utils.colors import Color

CLAY = Color(
    name="clay",
    c50="#fbf1ed",
    c100="#f6e0d7",
    c200="#ecc2b2",
    c300="#e2a48c",
    c400="#d07c5e",
    c500="#b5553a",
    c600="#a0472e",
    c700="#843923",
    c800="#692e1d",
    c900="#502419",
    c950="#301510",
)
STONE = Color(
    name="stone",
    c50="#faf7f2",
    c100="#f3eee6",
    c200="#e6ded2",
    c300="#d3c8b8",
    c400="#a99c8a",
    c500="#7a6e5f",
    c600="#5f5548",
    c700="#473f35",
    c800="#2f2923",
    c900="#231f1b",
    c950="#191613",
)
SANS = (
    "Pretendard",
    "Apple SD Gothic Neo",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Segoe UI",
    "system-ui",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace")
SHAPES = {
    "body_background_fill": "*neutral_50",
    "body_background_fill_dark": "*neutral_950",
    "body_text_color": "*neutral_900",
    "body_text_color_dark": "*neutral_100",
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_400",
    "block_background_fill": "transparent",
    "block_background_fill_dark": "transparent",
    "block_border_width": "0px",
    "block_border_width_dark": "0px",
    "block_shadow": "none",
    "block_label_background_fill": "transparent",
    "block_label_background_fill_dark": "transparent",
    "block_title_text_color": "*neutral_800",
    "block_title_text_color_dark": "*neutral_200",
    "block_title_text_weight": "600",
    "input_background_fill": "#ffffff",
    "input_background_fill_dark": "*neutral_900",
    "input_border_color": "*neutral_400",
    "input_border_color_dark": "*neutral_600",
    "input_border_width": "1px",
    "input_border_width_dark": "1px",
    "button_large_padding": "12px 24px",
    "button_large_text_weight": "600",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_dark": "*primary_300",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_200",
    "button_primary_text_color": "#ffffff",
    "button_primary_text_color_dark": "#2b1510",
    "button_primary_shadow": "none",
    "button_secondary_background_fill": "transparent",
    "button_secondary_background_fill_dark": "transparent",
    "button_secondary_border_color": "*neutral_400",
    "button_secondary_border_color_dark": "*neutral_600",
    "button_secondary_text_color": "*neutral_800",
    "button_secondary_text_color_dark": "*neutral_100",
    "checkbox_background_color_selected": "*primary_500",
    "checkbox_background_color_selected_dark": "*primary_400",
    "checkbox_label_background_fill_selected": "*primary_100",
    "checkbox_label_background_fill_selected_dark": "*primary_800",
    "color_accent_soft": "*primary_100",
    "color_accent_soft_dark": "*primary_900",
}
"""Gradio's theme variables; a star names another variable, "_dark" is for the dark page."""


def studio_theme() -> gr.themes.Base:
    """Return the theme: warm paper, ink and clay; fonts of the device only, nothing is downloaded."""
    theme = gr.themes.Base(
        primary_hue=CLAY,
        secondary_hue=STONE,
        neutral_hue=STONE,
        radius_size=gr.themes.sizes.radius_lg,
        text_size=gr.themes.sizes.text_md,
        font=list(SANS),
        font_mono=list(MONO),
    )
    return theme.set(**SHAPES)

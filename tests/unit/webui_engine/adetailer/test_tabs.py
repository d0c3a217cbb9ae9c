"""ADetailer's arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.recordings import recordings
from webui_engine.adetailer.detectors import MEDIAPIPE
from webui_engine.adetailer.infotext import pairs
from webui_engine.adetailer.tabs import ADetailerArgs, read_arguments
from webui_engine.errors import WouldBeIgnored

TAB = {"ad_model": "mediapipe_face_full"}


def read(*arguments: Any) -> list[str]:
    return [tab.ad_model for tab in read_arguments(arguments, MEDIAPIPE, most_tabs=4).tabs]


def test_the_schema_is_the_recorded_one() -> None:
    schema = ADetailerArgs.schema()
    schema.pop("description", None)
    assert schema == recordings()[28]["response"]["json"]


@pytest.mark.parametrize(
    ("arguments", "models"),
    [
        ([], []),
        ([False], []),
        ([False, False, TAB], []),
        ([True, False, TAB], ["mediapipe_face_full"]),
        ([TAB], ["mediapipe_face_full"]),
        (
            [True, False, TAB, {"ad_model": "mediapipe_face_mesh"}],
            ["mediapipe_face_full", "mediapipe_face_mesh"],
        ),
        ([True, False, {"ad_model": "None"}, TAB | {"ad_tab_enable": False}], []),
    ],
)
def test_the_tabs_that_were_sent_run_and_no_others(arguments: list[Any], models: list[str]) -> None:
    assert read(*arguments) == models


@pytest.mark.parametrize(
    "tab",
    [
        {"ad_model": "nope.pt"},
        TAB | {"ad_confidence": 5},
        TAB | {"ad_foo": 1},
        TAB | {"ad_prompt": None},
        TAB | {"ad_restore_face": True},
        "mediapipe_face_full",
    ],
)
def test_what_the_real_extension_would_skip_in_silence_is_refused(tab: Any) -> None:
    with pytest.raises(WouldBeIgnored):
        read(True, False, tab)


def test_more_tabs_than_the_option_allows_are_refused() -> None:
    with pytest.raises(WouldBeIgnored, match="ad_max_models"):
        read(True, False, *[TAB] * 5)


@pytest.mark.parametrize("number", [220, 221, 223])
def test_the_infotext_has_the_recorded_keys_and_values(number: int) -> None:
    recording = recordings()[number]
    arguments = recording["request"]["json"]["alwayson_scripts"]["ADetailer"]["args"]
    told = json.loads(recording["response"]["json"]["info"])["extra_generation_params"]
    expected = [(key, value) for key, value in told.items() if key.startswith("ADetailer")]
    assert list(pairs(read_arguments(arguments, MEDIAPIPE, most_tabs=4).tabs)) == expected

"""A place in the studio survives the address bar, and nonsense in the address does no harm."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradio_app.place import COUNTS, STEPS, Place, place_in, unpacked

NAMES = st.text(min_size=1, max_size=12)
VALUES = st.one_of(
    st.integers(0, 2**32 - 1), st.floats(0, 30, allow_nan=False), st.text(min_size=1, max_size=40)
)
OPTIONS = st.dictionaries(NAMES.filter(lambda name: name != "stages"), VALUES, max_size=4)
STAGES = st.dictionaries(
    NAMES, st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), min_size=1, max_size=3
)
PLACES = st.builds(
    Place,
    subject=st.text("abc123-", max_size=12),
    step=st.sampled_from(("", *STEPS)),
    preset=st.text("abc-", max_size=12),
    count=st.sampled_from(COUNTS),
    job=st.text("abc123-", max_size=12),
    image=st.text("abc123-", max_size=12),
    options=st.one_of(OPTIONS, st.builds(lambda top, stages: top | {"stages": stages}, OPTIONS, STAGES)),
)


@given(PLACES)
def test_a_place_is_found_again_from_its_address(place: Place) -> None:
    assert place_in(dict(parse_qsl(place.query()[1:]))) == place


@given(
    st.dictionaries(
        st.sampled_from(["subject", "step", "preset", "count", "job", "image", "options"]), st.text()
    )
)
def test_any_address_leads_somewhere(query: dict[str, str]) -> None:
    place = place_in(query)
    assert place.step in ("", *STEPS)
    assert place.count in COUNTS


@pytest.mark.parametrize("text", ["", "!!!", "bm90IGpzb24", "WzFd", "x" * 30_000])
def test_options_that_are_none_are_left_out(text: str) -> None:
    assert unpacked(text) == {}


def test_stages_of_a_wrong_shape_are_left_out() -> None:
    place = place_in(
        {"options": Place(options={"seed": 1, "stages": {"tone": 3}}).query().split("options=")[1]}
    )
    assert place.options == {"seed": 1}


def test_a_setting_of_a_stage_is_kept_and_taken_back() -> None:
    changed = Place().with_option("tone", "steps", 12).with_option("", "seed", 7)
    assert changed.options == {"seed": 7, "stages": {"tone": {"steps": 12}}}
    assert changed.option("tone", "steps") == 12
    assert changed.with_option("tone", "steps", None).options == {"seed": 7}


def test_changing_a_setting_leaves_the_old_place_as_it_was() -> None:
    before = Place(options={"stages": {"tone": {"steps": 12}}})
    before.with_option("tone", "steps", 20)
    assert before.option("tone", "steps") == 12

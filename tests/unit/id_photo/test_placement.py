"""Where a head is put: in its range, and its height in the middle of what the rule leaves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.id_photo.documents import eye_line_limits
from studio.id_photo.head import HeadMeasures
from studio.id_photo.placement import into_picture, place
from studio.id_photo.reading import IdDocument, read_documents
from studio.settings import REPOSITORY

DOCUMENTS = read_documents(REPOSITORY / "presets" / "id")


def head(share: float = 0.53, roll: float = 0.0) -> HeadMeasures:
    """A head of 200 pixels whose crown lies share of that above the eyes."""
    return HeadMeasures(
        crown=100, chin=300, eyes=100 + 200 * share, middle=256, roll=roll, yaw=0, pitch=0, eyes_open=0.3,
        mouth_open=0, cut_off=False,
    )  # fmt: skip


@given(name=st.sampled_from(sorted(DOCUMENTS)), share=st.floats(0.48, 0.56))
def test_every_usual_head_keeps_every_range_of_every_document(name: str, share: float) -> None:
    spec = DOCUMENTS[name].spec
    placed = place(spec, head(share))
    assert spec.head.holds(placed.head)
    low, high = eye_line_limits(spec, placed.head, placed.head * share)
    assert low - 1e-9 <= placed.eyes <= high + 1e-9
    assert placed.eyes + placed.head * share + placed.top == pytest.approx(spec.height)
    assert placed.eyes - placed.head * (1 - share) >= -1e-9


def test_the_head_takes_the_middle_of_its_range_when_nothing_is_against_it(
    documents: Mapping[str, IdDocument],
) -> None:
    assert place(documents["kr-passport"].spec, head()).head == pytest.approx(34)


@pytest.mark.parametrize("dpi", [200, 300, 600])
def test_the_picture_has_crown_eyes_and_chin_where_they_were_placed(
    dpi: int, documents: Mapping[str, IdDocument]
) -> None:
    spec, measures = documents["us-visa"].spec, head()
    placed = place(spec, measures)
    way = into_picture(spec, measures, dpi, placed)
    width, height = spec.size(dpi)
    places = way(np.array([(256.0, 100.0), (256.0, measures.eyes), (256.0, 300.0)]))
    crown, eyes, chin = places[:, 1] * spec.height / height
    assert (crown, spec.height - eyes, chin - crown) == pytest.approx((placed.top, placed.eyes, placed.head))
    assert places[:, 0] == pytest.approx([width / 2] * 3)


def test_a_tilted_head_is_set_upright(documents: Mapping[str, IdDocument]) -> None:
    spec, measures = documents["kr-passport"].spec, head(roll=4)
    way = into_picture(spec, measures, 300, place(spec, measures))
    assert np.degrees(way.radians) == pytest.approx(-4)

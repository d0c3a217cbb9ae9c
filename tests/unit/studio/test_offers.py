"""What the start page offers: products by data, and why one cannot be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.assembly import Foundations
from studio.errors import BrokenLibrary
from studio.library.reading import Library, read_library
from studio.service import Studio
from studio.values import Offer
from tests.unit.studio.test_jobs import serve


def offer(studio: Studio, name: str) -> Offer:
    return next(one for one in studio.offers() if one.name == name)


def test_only_products_that_some_preset_makes_are_offered(studio: Studio, library: Library) -> None:
    made = {product.spec.product for product in library.products.values()}
    offered = [one.name for one in studio.offers()]
    assert offered == [
        name for name, spec in library.offers.items() if not spec.kinds or made & set(spec.kinds)
    ]
    assert {"profile", "id_photo", "instant", "animal"} <= set(offered)


def test_a_product_that_no_server_can_make_names_what_is_missing(base: Foundations, studio: Studio) -> None:
    assert offer(studio, "instant").available
    serve(base)
    instant = offer(studio, "instant")
    assert not instant.available
    assert [part.kind for part in instant.missing] == ["face swapper"]
    assert offer(studio, "id_photo").available, "it needs no server"


def test_a_product_for_learned_people_says_why_nobody_can_be_learned(studio: Studio) -> None:
    profile = offer(studio, "profile")
    assert (profile.available, profile.missing, profile.obstacle) == (False, (), "checkpoint_unknown")


def test_a_wrong_product_stops_the_start_with_its_line(tmp_path: Path) -> None:
    presets, prompts = tmp_path / "presets", tmp_path / "prompts"
    (presets / "products").mkdir(parents=True)
    prompts.mkdir()
    (presets / "products" / "products.yaml").write_text("profile:\n  colour: red\n", encoding="utf-8")
    with pytest.raises(BrokenLibrary) as broken:
        read_library(presets, prompts)
    assert (2, "profile.colour") in [(found.line, found.key) for found in broken.value.problems]

"""What the start page offers: which products there are, and which presets make them. All data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter

from studio.library.checked import read_checked
from studio.library.product import Name, Spec, ThumbnailName
from studio.values import PresetProblem, Words

FILE = "products/products.yaml"
OfferName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=32)]


class OfferSpec(Spec):
    """One product. kinds: values of the key "product" of the presets that make it; none needs no preset and no server.

    learns: whether the person has to be learned for it. thumbnail: a file of the presets' folder "thumbnails".
    """

    title: Words
    description: Words
    kinds: tuple[Name, ...]
    learns: bool = False
    thumbnail: ThumbnailName


OFFERS = TypeAdapter(dict[OfferName, OfferSpec])


def read_offers(presets: Path) -> tuple[Mapping[str, OfferSpec], list[PresetProblem]]:
    """Read the products of the presets' folder, in the file's order; none without the file."""
    file = presets / FILE
    if not file.exists():
        return {}, []
    read = read_checked(file, OFFERS)
    return ({}, read) if isinstance(read, list) else (read.value, [])

"""One face process, the shipped animals, and the astronaut's head for all tests of animals."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from studio.animals.traits import measure_traits
from studio.faces.portrait import SeenHead
from studio.faces.process import FaceProcess
from studio.library.animals import AnimalLibrary, read_animals
from studio.settings import REPOSITORY
from studio.values import Traits
from tests.unit.id_photo.conftest import RememberingFaces
from tests.unit.id_photo.faces import VARIATIONS, photo


@pytest.fixture(scope="session")
def faces() -> Iterator[FaceProcess]:
    with RememberingFaces() as process:
        yield process


@pytest.fixture(scope="session")
def animals() -> AnimalLibrary:
    """The animals that are shipped."""
    library, problems = read_animals(REPOSITORY / "prompts")
    assert problems == []
    return library


@pytest.fixture(scope="session")
def astronaut(faces: FaceProcess) -> SeenHead:
    """The astronaut's head, as it is."""
    head = faces.portrait(photo(VARIATIONS[0])).head
    assert head is not None
    return head


def traits_of(faces: FaceProcess, picture: bytes) -> Traits:
    """What is measured of the face in a photo."""
    head = faces.portrait(picture).head
    assert head is not None
    return measure_traits(pixels_of(picture), head)


def pixels_of(picture: bytes) -> np.ndarray:
    """A photo's pixels, RGB."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))

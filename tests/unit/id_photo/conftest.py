"""One face process and the shipped documents for all tests of ID photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from studio.faces.process import FaceProcess
from studio.id_photo.reading import IdDocument, read_documents
from studio.settings import REPOSITORY


@pytest.fixture(scope="session")
def faces() -> Iterator[FaceProcess]:
    with FaceProcess() as process:
        yield process


@pytest.fixture(scope="session")
def documents() -> Mapping[str, IdDocument]:
    """The documents that are shipped."""
    return read_documents(REPOSITORY / "presets" / "id")

"""One face process and the shipped documents for all tests of ID photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from studio.faces.portrait import Portrait
from studio.faces.process import FaceProcess
from studio.id_photo.reading import IdDocument, read_documents
from studio.settings import REPOSITORY


class RememberingFaces(FaceProcess):
    """Looks at the same file only once, for tests that make many pictures of few photos."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[bytes, Portrait] = {}

    def portrait(self, picture: bytes) -> Portrait:
        """What is seen in a picture, now or before."""
        if picture not in self._seen:
            self._seen[picture] = super().portrait(picture)
        return self._seen[picture]


@pytest.fixture(scope="session")
def faces() -> Iterator[FaceProcess]:
    with RememberingFaces() as process:
        yield process


@pytest.fixture(scope="session")
def documents() -> Mapping[str, IdDocument]:
    """The documents that are shipped."""
    return read_documents(REPOSITORY / "presets" / "id")

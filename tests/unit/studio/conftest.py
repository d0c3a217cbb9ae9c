"""A studio on a folder of its own: real database, real store, real library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.assembly import Foundations, lay_foundations
from studio.library.reading import Library, read_library
from studio.service import Studio
from studio.settings import REPOSITORY, Settings


@pytest.fixture(scope="session")
def library() -> Library:
    """The library that is shipped."""
    return read_library(REPOSITORY / "presets", REPOSITORY / "prompts")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data=tmp_path / "data", webui_urls=("http://127.0.0.1:9",))


@pytest.fixture
def base(settings: Settings) -> Iterator[Foundations]:
    foundations = lay_foundations(settings)
    with foundations.closing:
        yield foundations


@pytest.fixture
def studio(base: Foundations) -> Studio:
    return Studio(base)

"""Tests that share something costly run in one process; pytest 9.2 with xdist 3.8 lets go of that without a word."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups")
def test_a_test_of_a_group_is_kept_in_its_group(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("this run has one process")

    assert request.node.nodeid.endswith("@groups")

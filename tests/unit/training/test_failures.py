"""What went wrong in the child, in words for a person."""

from __future__ import annotations

import errno

import pytest

from training.embedded.failures import explain


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_explained_with_what_to_do(number: int) -> None:
    told = explain(OSError(number, "cannot write", "adapter.safetensors"))
    assert told.reason == "There is no room left on the disk."
    assert "Free some space" in told.remedy

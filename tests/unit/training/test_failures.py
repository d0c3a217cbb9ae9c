"""What went wrong in the child, in words for a person."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from training.embedded.adapter_file import WeightsNotNumbers, write_adapter
from training.embedded.failures import explain
from training.embedded.state import STATE_FILE, Standing, save_state


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_explained_with_what_to_do(number: int) -> None:
    told = explain(OSError(number, "cannot write", "adapter.safetensors"))
    assert told.reason == "There is no room left on the disk."
    assert "Free some space" in told.remedy


def test_a_disk_that_is_full_while_state_is_kept_is_told_and_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / f".{STATE_FILE}.partial").symlink_to("/dev/full")
    weight = torch.nn.Parameter(torch.zeros(1000, 1000))
    learner = SimpleNamespace(parameters=[weight], optimizer=torch.optim.SGD([weight], lr=1.0))

    with pytest.raises(OSError) as full:  # noqa: PT011 (the kind of the error is what is looked at)
        save_state(tmp_path, "key", learner, Standing())  # type: ignore[arg-type]

    assert explain(full.value).reason == "There is no room left on the disk."
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_while_the_file_is_written_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / ".learned.safetensors.partial").symlink_to("/dev/full")

    with pytest.raises(OSError) as full:  # noqa: PT011 (the kind of the error is what is looked at)
        write_adapter(tmp_path / "learned.safetensors", {"a": torch.zeros(1000, 1000)}, {})

    assert explain(full.value).reason == "There is no room left on the disk."
    assert not list(tmp_path.iterdir())


def test_weights_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotNumbers) as diverged:
        write_adapter(tmp_path / "learned.safetensors", {"a": torch.tensor([1.0, torch.inf])}, {})

    assert "lower learning rate" in explain(diverged.value).remedy
    assert not list(tmp_path.iterdir())

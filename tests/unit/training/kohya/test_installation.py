"""Which sd-scripts we drive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.stand_ins.kohya import install
from training.errors import TrainerObstacle, TrainerUnusable
from training.kohya.checkpoint import Family
from training.kohya.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path / "sd-scripts")


def obstacle(installation: Installation, family: Family = Family.SD15) -> tuple[TrainerObstacle, str]:
    with pytest.raises(TrainerUnusable) as refused:
        installation.check(family)
    return refused.value.obstacle, str(refused.value)


@pytest.mark.parametrize("family", list(Family))
def test_a_known_version_passes(installation: Installation, family: Family) -> None:
    installation.check(family)


def test_a_folder_without_the_script_is_named(installation: Installation, tmp_path: Path) -> None:
    (installation.folder / "sdxl_train_network.py").unlink()
    installation.check(Family.SD15)
    kind, words = obstacle(installation, Family.SDXL)
    assert kind is TrainerObstacle.MISSING
    assert "sdxl_train_network.py" in words
    assert obstacle(replace(installation, folder=tmp_path))[0] is TrainerObstacle.MISSING


@pytest.mark.parametrize("python", ["nowhere/python", "."])
def test_a_python_that_is_not_there_is_named(installation: Installation, python: str, tmp_path: Path) -> None:
    kind, words = obstacle(replace(installation, python=tmp_path / python))
    assert kind is TrainerObstacle.PYTHON_MISSING
    assert "SAJIN_KOHYA_PYTHON" in words


@pytest.mark.parametrize("word", ["--initial_epoch", "avr_loss", "ss_training_finished_at"])
def test_a_version_that_lacks_an_argument_or_a_word_we_read_is_refused(
    installation: Installation, word: str
) -> None:
    script = installation.folder / "train_network.py"
    script.write_text(script.read_text("utf-8").replace(word, "--other"), encoding="utf-8")

    kind, words = obstacle(installation)

    assert kind is TrainerObstacle.UNKNOWN_VERSION
    assert word in words

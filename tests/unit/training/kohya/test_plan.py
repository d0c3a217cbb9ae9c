"""The numbers of a training with sd-scripts, and the room it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.stand_ins.kohya import write_checkpoint
from training.errors import TrainingFailed
from training.kohya.checkpoint import Family
from training.kohya.machine import GIGABYTE, Machine, disk_bytes, require_room
from training.kohya.plan import KohyaPlan, Places, plan_training
from training.port import TrainingPhoto, TrainingRequest

NO_CARD = Machine(gpu=False, gpu_free=0, gpu_total=0, bf16=False, eight_bit=True)
LARGE_CARD = Machine(gpu=True, gpu_free=23 * GIGABYTE, gpu_total=24 * GIGABYTE, bf16=True, eight_bit=True)
SMALL_CARD = Machine(gpu=True, gpu_free=6 * GIGABYTE, gpu_total=6 * GIGABYTE, bf16=False, eight_bit=False)
REQUEST = TrainingRequest(
    photos=(TrainingPhoto(path=Path("a.jpg"), box=None),) * 10,
    checkpoint=Path("/models/model.safetensors"),
    instance_token="sks",
    class_noun="woman",
    output=Path("out.safetensors"),
    work_folder=Path("work"),
)


def plan(
    request: TrainingRequest = REQUEST,
    *,
    family: Family = Family.SD15,
    machine: Machine = LARGE_CARD,
    class_pictures: Path | None = None,
) -> KohyaPlan:
    places = Places(Path("/learn/photos"), Path("/learn/dataset.toml"), Path("/learn/output"))
    return plan_training(request, family, machine, places, class_pictures)


def test_ten_photos_are_learned_in_about_ten_epochs() -> None:
    chosen = plan()

    assert (chosen.dataset.repeats, chosen.images, chosen.arguments.max_train_epochs) == (6, 120, 10)


def test_an_epoch_with_pictures_of_the_class_shows_each_photo_half_as_often() -> None:
    chosen = plan(class_pictures=Path("/others/woman"))

    assert (chosen.images, chosen.arguments.max_train_epochs) == (60, 10)
    assert chosen.dataset.class_pictures == Path("/others/woman")


def test_what_the_request_says_is_done() -> None:
    chosen = plan(replace(REQUEST, steps=300, batch_size=2, rank=4, learning_rate=2e-4, seed=9))
    arguments = chosen.arguments

    assert arguments.max_train_epochs * chosen.images / arguments.train_batch_size == 300
    assert (arguments.train_batch_size, arguments.seed) == (2, 9)
    assert (arguments.network_dim, arguments.network_alpha) == (4, 4)
    assert (arguments.unet_lr, arguments.text_encoder_lr) == (2e-4, 1e-4)


@pytest.mark.parametrize("steps", [1, 20, 59, 100, 300, 333, 1000, 4321, 20000])
def test_steps_are_met_as_nearly_as_whole_epochs_allow(steps: int) -> None:
    chosen = plan(replace(REQUEST, steps=steps))
    learned = chosen.arguments.max_train_epochs * chosen.images

    assert abs(learned - steps) <= max(20, steps // 20)
    assert chosen.arguments.max_train_epochs <= 15


def test_a_request_out_of_range_fails_before_anything_starts() -> None:
    with pytest.raises(TrainingFailed, match=r"0\.01"):
        plan(replace(REQUEST, learning_rate=0.5))


@pytest.mark.parametrize(
    ("machine", "chosen"),
    [
        (NO_CARD, ("no", "AdamW", False)),
        (LARGE_CARD, ("bf16", "AdamW8bit", False)),
        (SMALL_CARD, ("fp16", "AdamW", True)),
    ],
)
def test_the_machine_decides_precision_optimizer_and_what_memory_is_traded_for(
    machine: Machine, chosen: tuple[str, str, bool]
) -> None:
    arguments = plan(machine=machine).arguments
    assert (arguments.mixed_precision, arguments.optimizer_type, arguments.gradient_checkpointing) == chosen


def test_sdxl_is_learned_at_its_own_size_in_the_u_net_alone() -> None:
    arguments = plan(family=Family.SDXL).arguments
    assert (arguments.resolution, arguments.text_encoder_lr) == (1024, 0)


def require(chosen: KohyaPlan, machine: Machine, folder: Path) -> None:
    checkpoint = write_checkpoint(folder / "model.safetensors")
    arguments = chosen.arguments.model_copy(update={"output_dir": folder, "checkpoint": checkpoint})
    require_room(arguments, machine)


def test_a_disk_too_full_for_the_epochs_is_found_out_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = plan()
    needed = disk_bytes(chosen.arguments)
    assert 0.5 * GIGABYTE < needed < 2 * GIGABYTE
    require(chosen, LARGE_CARD, tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": needed - 1}))
    with pytest.raises(TrainingFailed, match="on the disk"):
        require(chosen, LARGE_CARD, tmp_path)


def test_memory_too_small_for_the_checkpoint_is_found_out_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.kohya.machine.MEMORY_IN_SINGLES", dict.fromkeys(Family, 10**9))
    with pytest.raises(TrainingFailed, match="of memory"):
        require(plan(), LARGE_CARD, tmp_path)

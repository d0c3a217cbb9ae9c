"""The lines of sd-scripts, as real runs of version 0.10 wrote them."""

from __future__ import annotations

import math

import pytest

from training.kohya.output import (
    Bar,
    Caching,
    Epoch,
    Event,
    Images,
    Milestone,
    NoData,
    Saving,
    StepsPerEpoch,
    TotalSteps,
    read_line,
)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("  num train images * repeats / 学習画像の数×繰り返し回数: 6", Images(6)),
        ("  num batches per epoch / 1epochのバッチ数: 120", StepsPerEpoch(120)),
        ("  total optimization steps / 学習ステップ数: 800", TotalSteps(800)),
        ("epoch 3/10", Epoch(3)),
        ("caching latents...", Caching()),
        ("saving checkpoint: /my work/a-000001.safetensors", Saving("/my work/a-000001.safetensors")),
        ("No data found. Please verify arguments (train_data_dir must be …) / 画像がありません。", NoData()),
        ("running training / 学習開始", Milestone()),
        ("saving state at epoch 2", Milestone()),
        ("model saved.", Milestone()),
        (" 17%|█▋        | 1/6 [00:00<00:04,  1.19it/s]", Bar("", 1, 6, 4.0)),
        ("read caption: 100%|██████████| 6/6 [00:00<00:00, 51995.50it/s]", Bar("read caption", 6, 6, 0.0)),
        ("steps:   0%|          | 0/12 [00:00<?, ?it/s]", Bar("steps", 0, 12)),
        ("steps:   8%|▊         | 1/12 [00:03<00:38,  3.46s/it]", Bar("steps", 1, 12, 38.0)),
        (
            "steps:  12%|█▏        | 96/800 [01:02<07:33,  1.55it/s, avr_loss=0.0893]",
            Bar("steps", 96, 800, 453.0, 0.0893),
        ),
        (
            "steps:  50%|█████     | 9/18 [2:03:04<1:02:03, 5s/it, Keys Scaled=3, avr_loss=1.2e-5]",
            Bar("steps", 9, 18, 3723.0, 1.2e-5),
        ),
        ("steps: 100%|██████████| 12/12 [00:35<00:00,  2.95s/it, avr_loss=inf]", Bar("steps", 12, 12, 0.0, math.inf)),
        ("num reg images / 正則化画像の数: 0", None),
        ("num train images * repeats / 学習画像の数: many", None),
        ("epoch is incremented. current_epoch: 0, epoch: 1", None),
        ("Some weights of CLIPTextModel were not initialized", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_line_is_read(line: str, event: Event | None) -> None:
    assert read_line(line) == event


@pytest.mark.parametrize("spelled", ["nan", "NaN", "what"])
def test_a_loss_that_is_no_number_is_told_as_such(spelled: str) -> None:
    bar = read_line(f"steps:  12%|█▏  | 96/800 [01:02<07:33,  1.55it/s, avr_loss={spelled}]")

    assert isinstance(bar, Bar)
    assert bar.loss is not None
    assert math.isnan(bar.loss)

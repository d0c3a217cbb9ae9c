"""How sd-scripts ended, in words for a person. The logs are what real runs and the tracker of sd-scripts show."""

from __future__ import annotations

import pytest

from training.kohya.failures import explain

FULL = "safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)"


@pytest.mark.parametrize(
    ("log", "reason", "remedy"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 MiB", "too little memory", "batch"),
        (FULL, "no room left", "Free some space"),
        ("RuntimeError: [enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0", "no room left", "Free"),
        ("ModuleNotFoundError: No module named 'voluptuous'", "package voluptuous", "SAJIN_KOHYA_PYTHON"),
        ("train_network.py: error: unrecognized arguments: --sdpa", "--sdpa", "0.9"),
        ("strategy_base.py, line 65, in _load_tokenizer\nTypeError: not NoneType", "tokenizer", "internet"),
        ("OSError: Can't load tokenizer for 'openai/clip-vit-large-patch14'", "tokenizer", "internet"),
        ("RuntimeError: NaN detected in latents: /learn/photos/000-0.png", "autoencoder", "another checkpoint"),
        ("RuntimeError: Error(s) in loading state_dict for UNet2DConditionModel:", "family", "another checkpoint"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/learn/photos/001-0.png'", "disappeared", "again"),
        ("PIL.UnidentifiedImageError: cannot identify image file", "photo cannot be read", "Remove"),
    ],
)  # fmt: skip
def test_a_known_end_has_its_words_and_the_log_along(log: str, reason: str, remedy: str) -> None:
    failure = explain(1, f"Traceback (most recent call last):\n{log}\n")

    assert reason in failure.reason
    assert remedy in failure.remedy
    assert log in failure.details


def test_a_signal_is_named() -> None:
    assert "signal 9" in explain(137, "steps").reason


def test_an_unknown_end_tells_the_last_line() -> None:
    assert "status 1: ValueError: what?" in explain(1, "Traceback\nValueError: what?").reason
    assert "status 2" in explain(2, "").reason

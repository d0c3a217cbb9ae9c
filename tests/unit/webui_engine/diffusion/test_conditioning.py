"""Prompts as vectors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from webui_engine.device import choose_device
from webui_engine.diffusion.checkpoints import scan_checkpoints
from webui_engine.diffusion.conditioning import PromptEncoder
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.model import Model


@pytest.fixture(scope="module")
def model(small_models: Path) -> Model:
    """A trained text encoder's vectors have a mean; the random one is given one."""
    model = load_model(scan_checkpoints([small_models])[0], choose_device("cpu"), [])
    model.text_encoder.final_layer_norm.bias.data.fill_(0.2)
    return model


@pytest.fixture
def encoder(model: Model) -> PromptEncoder:
    return PromptEncoder(model)


def vectors(encoder: PromptEncoder, prompt: str, negative: str = "") -> torch.Tensor:
    with torch.inference_mode():
        return encoder.encode(prompt, negative, 10).at(1).vectors[:, 0]


def test_a_plain_prompt_is_encoded_as_diffusers_encodes_it(model: Model, encoder: PromptEncoder) -> None:
    expected, negative = model.pipeline.encode_prompt("a woman", model.device.place, 1, True, "hat")

    assert torch.equal(vectors(encoder, "a woman", "hat"), torch.cat([negative, expected]))


def test_every_seventy_five_tokens_begin_a_chunk_and_the_shorter_prompt_is_filled_up(
    encoder: PromptEncoder,
) -> None:
    assert vectors(encoder, "woman " * 75).shape[1] == 77
    assert vectors(encoder, "woman " * 76).shape[1] == 2 * 77
    assert vectors(encoder, "woman", "woman " * 200).shape == (2, 3 * 77, 64)


def test_break_begins_a_chunk_of_its_own(encoder: PromptEncoder) -> None:
    parted = vectors(encoder, "woman BREAK hat")

    assert torch.equal(parted[1, :77], vectors(encoder, "woman")[1])
    assert torch.equal(parted[1, 77:], vectors(encoder, "hat")[1])


def test_a_chunk_is_rather_cut_at_a_comma(encoder: PromptEncoder) -> None:
    first, second = "woman " * 69 + ",", "hat " * 12

    assert torch.equal(vectors(encoder, first + second)[1, :77], vectors(encoder, first)[1])


def test_emphasis_scales_the_tokens_and_keeps_the_mean(encoder: PromptEncoder) -> None:
    plain, strong = vectors(encoder, "a woman")[1], vectors(encoder, "a (woman:1.5)")[1]

    ratio = (strong / plain).mean(dim=1)
    assert strong.mean() == pytest.approx(plain.mean().item(), abs=1e-5)
    assert (ratio[2] / ratio[1]).item() == pytest.approx(1.5, rel=1e-3)


@pytest.mark.parametrize(("mode", "plain"), [("None", "a (woman:1.5)"), ("Ignore", "a woman")])
def test_emphasis_can_be_taken_literally_or_ignored(model: Model, mode: str, plain: str) -> None:
    escaped = plain.replace("(", r"\(").replace(")", r"\)")

    assert torch.equal(
        vectors(PromptEncoder(model, emphasis=mode), "a (woman:1.5)"), vectors(PromptEncoder(model), escaped)
    )


def test_without_norm_only_the_weighted_tokens_change(model: Model, encoder: PromptEncoder) -> None:
    plain = vectors(encoder, "a woman")[1]
    strong = vectors(PromptEncoder(model, emphasis="No norm"), "a (woman:1.5)")[1]

    assert torch.equal(strong[:2], plain[:2])
    assert torch.allclose(strong[2], plain[2] * 1.5)


def test_and_gives_each_part_its_own_row_and_weight(encoder: PromptEncoder) -> None:
    guidance = encoder.encode("woman AND hat :0.5", "", 10).at(1)

    assert guidance.vectors.shape[0] == 3
    assert guidance.weights == (1.0, 0.5)


def test_prompt_editing_gives_each_stretch_of_steps_its_own_vectors(encoder: PromptEncoder) -> None:
    conditioning = encoder.encode("[woman:hat:4]", "[a:b:6]", 10)

    assert [last for last, _ in conditioning.changes] == [4, 6, 10]
    assert torch.equal(conditioning.at(5).vectors[1:, 0], vectors(encoder, "hat")[1:])


def test_clip_skip_two_reads_the_last_layer_but_one(model: Model) -> None:
    ids = model.tokenizer("a woman", padding="max_length", return_tensors="pt").input_ids
    with torch.inference_mode():
        hidden = model.text_encoder(ids, output_hidden_states=True).hidden_states[-2]
        expected = model.text_encoder.final_layer_norm(hidden)

    assert torch.equal(vectors(PromptEncoder(model, clip_skip=2), "a woman")[1:], expected)


def test_a_clip_skip_beyond_the_layers_reads_the_first(model: Model) -> None:
    deep, deepest = (vectors(PromptEncoder(model, clip_skip=skip), "a woman") for skip in (2, 12))

    assert torch.equal(deep, deepest)


def test_a_mean_of_nothing_is_not_restored(model: Model) -> None:
    bias = model.text_encoder.final_layer_norm.bias.data
    bias.zero_()
    strong = vectors(PromptEncoder(model), "a (woman:1.5)")
    bias.fill_(0.2)

    assert strong.abs().max() < 10

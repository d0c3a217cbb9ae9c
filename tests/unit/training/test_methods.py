"""Every way of teaching on a small checkpoint: what learns, what the file holds, and that pictures change by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tests.unit.webui_engine.small_models import save_small_checkpoint, small_task
from training.crops import Frame, face_in
from training.embedded import EmbeddedTrainer
from training.embedded.caches import Crops
from training.embedded.captions import captions
from training.embedded.learning import Batches, Learner, Material, NoiseSchedule
from training.embedded.messages import RequestMessage
from training.embedded.methods import teach
from training.embedded.methods.inversion import LearntWord
from training.embedded.networks import load_networks
from training.embedded.optimizers import OptimizerMissing, require_optimizer
from training.embedded.plan import plan_learning
from training.embedded.run import run
from training.embedded.words import HeardWords
from training.method import Method
from training.port import TrainedAdapter, TrainingProgress, TrainingRequest
from training.tokens import token_of_name
from webui_engine.device import Device
from webui_engine.diffusion.checkpoints import CheckpointInfo
from webui_engine.diffusion.embeddings import EmbeddingInfo, scan_embeddings
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.loras import LoraInfo, scan_loras
from webui_engine.diffusion.workbench import Workbench
from webui_engine.errors import CheckpointBroken

CPU = Device(torch.device("cpu"), torch.float32)


def _learned(request: TrainingRequest, **method: Any) -> TrainedAdapter:
    asked = replace(request, method=Method(**method), learning_rate=1e-2)
    return run(asked, lambda progress: None)


def _names(adapter: TrainedAdapter) -> set[str]:
    with safe_open(adapter.path, framework="pt") as stream:
        return set(stream.keys())


def _heard(
    checkpoint: Path, prompt: str, loras: tuple[LoraInfo, ...], words: tuple[EmbeddingInfo, ...]
) -> torch.Tensor:
    """What the engine's text encoder says to a prompt."""
    info = CheckpointInfo(title=checkpoint.name, model_name=checkpoint.stem, filename=str(checkpoint))
    bench = Workbench(load_model(info, CPU, []))
    prepared = bench.prepare(small_task(prompt=prompt), vae=None, loras=loras, embeddings=words)
    assert not prepared.warnings
    tokens = bench.model.tokenizer(prepared.prompt, padding="max_length", return_tensors="pt").input_ids
    heard: torch.Tensor = bench.model.text_encoder(tokens)[0]
    return heard


def test_locon_reaches_convolutions_and_the_text_encoder_under_kohya_s_names(
    request_of_three: TrainingRequest,
) -> None:
    adapter = _learned(request_of_three, name="locon", text_encoder=True)
    tensors = load_file(adapter.path)

    convolution = tensors["lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight"]
    assert convolution.shape[2:] == (3, 3)
    text = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    assert {f"{text}.lora_down.weight", f"{text}.lora_up.weight", f"{text}.alpha"} <= set(tensors)
    assert tensors[f"{text}.lora_up.weight"].abs().max() > 0
    found = scan_loras([adapter.path.parent])
    with_it = _heard(request_of_three.checkpoint, f"photo of sks <lora:{adapter.path.stem}:1>", found, ())
    without = _heard(request_of_three.checkpoint, "photo of sks", found, ())
    assert not torch.equal(with_it, without)


def test_a_learnt_word_is_called_by_the_name_of_its_file(request_of_three: TrainingRequest) -> None:
    adapter = _learned(request_of_three, name="textual_inversion", vectors=2)

    assert adapter.form == "embedding"
    assert _names(adapter) == {"emb_params"}
    word = next(info for info in scan_embeddings([adapter.path.parent]) if info.name == adapter.path.stem)
    assert word.vectors == 2
    with_it = _heard(request_of_three.checkpoint, f"photo of {word.name}", (), (word,))
    assert not torch.equal(with_it, _heard(request_of_three.checkpoint, f"photo of {word.name}", (), ()))


def test_a_learnt_word_begins_as_the_class_noun_and_leaves_the_other_words_alone(
    request_of_three: TrainingRequest,
) -> None:
    model = load_networks(request_of_three.checkpoint)
    before = model.text_encoder.get_input_embeddings().weight.clone()
    noun = model.tokenizer("woman", add_special_tokens=False).input_ids
    plan = plan_learning(replace(request_of_three, method=Method(name="textual_inversion")), 1, 64)
    word = LearntWord(model, plan, "woman")

    assert torch.equal(word.vectors[0], before[noun].mean(dim=0))
    _steps(request_of_three, Method(name="textual_inversion"), model_and_word=(model, word))
    assert not torch.equal(word.vectors[0], before[noun].mean(dim=0))
    assert torch.equal(model.text_encoder.get_input_embeddings().weight, before)


def _steps(
    request: TrainingRequest, method: Method, rate: float = 5e-3, model_and_word: Any = None
) -> torch.Tensor:
    """The vectors after three steps on made-up latents."""
    asked = replace(request, method=method, learning_rate=rate, steps=3)
    model = model_and_word[0] if model_and_word else load_networks(request.checkpoint)
    plan = plan_learning(asked, model.unet.num_parameters(), 64)
    word = model_and_word[1] if model_and_word else LearntWord(model, plan, "woman")
    texts = captions(word.word, "woman", method)
    latents = torch.randn((2, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    material = Material((Crops(latents, torch.ones(2, 1, 8, 8)),), len(texts))
    batches = Batches(material, plan, NoiseSchedule(model.scheduler_config, 5.0, CPU.place), CPU.place)
    learner = Learner(model, plan, word, HeardWords(model, [*texts, "", "photo of woman"]))
    for step in range(plan.steps):
        learner.step(step, batches.at(step))
    return word.vectors.detach()


def test_momentum_inversion_is_textual_inversion_at_a_share_of_its_learning_rate(
    request_of_three: TrainingRequest,
) -> None:
    momentum = _steps(request_of_three, Method(name="momentum_inversion", momentum=0.1), rate=5e-2)
    slower = _steps(request_of_three, Method(name="textual_inversion"), rate=5e-3)
    full = _steps(request_of_three, Method(name="textual_inversion"), rate=5e-2)

    assert torch.allclose(momentum, slower, atol=1e-5)
    assert (momentum - full).abs().max() > 1e-2


def test_pivotal_tuning_puts_word_and_lora_into_one_file_that_the_engine_reads(
    request_of_three: TrainingRequest,
) -> None:
    adapter = _learned(request_of_three, name="pivotal_tuning")
    tensors = load_file(adapter.path)
    found = scan_loras([adapter.path.parent])
    call = f"<lora:{adapter.path.stem}:1>"

    assert tensors["bundle_emb.sks.string_to_param.*"].shape[0] == 1
    assert max(t.abs().max() for n, t in tensors.items() if n.endswith("lora_up.weight")) > 0
    with_it = _heard(request_of_three.checkpoint, f"photo of sks woman {call}", found, ())
    without = _heard(request_of_three.checkpoint, "photo of sks woman", found, ())
    assert not torch.equal(with_it, without)


def test_a_full_dreambooth_is_a_checkpoint_that_the_engine_loads_with_its_own_words(
    request_of_three: TrainingRequest,
) -> None:
    adapter = _learned(request_of_three, name="dreambooth")
    before = load_networks(request_of_three.checkpoint)
    after = load_networks(adapter.path)

    assert adapter.form == "checkpoint"
    assert str(request_of_three.checkpoint.parent).encode() not in adapter.path.read_bytes()
    assert after.scheduler_config["prediction_type"] == before.scheduler_config["prediction_type"]
    assert after.tokenizer("sks woman").input_ids == before.tokenizer("sks woman").input_ids
    ours, theirs = before.unet.state_dict(), after.unet.state_dict()
    assert ours.keys() == theirs.keys()
    assert any(not torch.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)
    for part in ("vae", "text_encoder"):
        kept, read = getattr(before, part).state_dict(), getattr(after, part).state_dict()
        assert all(torch.allclose(kept[name], read[name], atol=1e-3) for name in kept)


def test_the_class_is_learned_beside_the_person_with_its_own_weight(
    request_of_three: TrainingRequest,
) -> None:
    model = load_networks(request_of_three.checkpoint)
    method = Method(name="dreambooth_lora", prior_loss_weight=0.25, min_snr_gamma=0)
    plan = plan_learning(replace(request_of_three, method=method, batch_size=2), 1, 64)
    person, others = torch.zeros(2, 4, 8, 8), torch.ones(3, 4, 8, 8)
    material = Material((Crops(person, torch.ones(2, 1, 8, 8)),), 6, (others,))
    batch = Batches(material, plan, NoiseSchedule(model.scheduler_config, 0, CPU.place), CPU.place).at(0)

    assert batch.weights.tolist() == pytest.approx([0.5, 0.5, 0.125, 0.125])
    assert batch.captions[2:].tolist() == [7, 7]
    assert len(batch.faces) == 2


def test_the_loss_counts_the_face_as_the_method_says(request_of_three: TrainingRequest) -> None:
    faces = torch.zeros(1, 1, 4, 4)
    faces[..., :2, :2] = 1
    apart = torch.where(faces.bool(), 4.0, 1.0).expand(1, 3, 4, 4)

    def loss(**method: Any) -> float:
        model = load_networks(request_of_three.checkpoint)
        plan = plan_learning(replace(request_of_three, method=Method(**method)), 1, 64)
        teaching = teach(model, plan, "sks", "woman")
        learner = Learner(model, plan, teaching, HeardWords(model, ["", ""]))
        return float(learner.loss_of_each(apart, faces))

    assert loss() == pytest.approx((4 * 4 + 12) / 16)
    assert loss(facial_loss_weight=0.5) == pytest.approx((4 * 4 + 12) / 16 + 0.5 * 4)
    assert loss(outside_face_weight=0) == pytest.approx(4)


def test_the_face_is_found_again_in_a_mirrored_crop() -> None:
    corners = (100.0, 0.0, 300.0, 200.0)
    box = (120, 50, 160, 100)

    assert face_in(Frame(corners, mirrored=False), box, (10, 10)) == (1, 2, 3, 5)
    assert face_in(Frame(corners, mirrored=True), box, (10, 10)) == (7, 2, 9, 5)
    assert face_in(Frame(corners, mirrored=False), (0, 0, 50, 50), (10, 10)) == (0, 0, 1, 3)


def test_descriptive_words_come_as_often_as_asked_and_the_noun_can_be_left_out() -> None:
    method = Method(
        descriptive_words=("red hair", "freckles"),
        descriptive_probability=0.3,
        without_class_noun=True,
        random_templates=True,
    )
    drawn = captions("sks", "woman", method, seed=1)
    shares = [sum(word in text for text in drawn) / len(drawn) for word in method.descriptive_words]

    assert all(0.15 < share < 0.45 for share in shares)
    assert not any("woman" in text for text in drawn)
    assert len({text.partition(",")[0] for text in drawn}) > 10
    assert captions("sks", "woman", method, seed=1) == drawn


@pytest.mark.parametrize(
    ("name", "token"), [("Anna", "naan"), ("anna", "naan"), ("Bartholomew Simpson", "onegubyb"), ("1 2", "")]
)
def test_a_token_is_made_of_a_name_by_a_caesar_cipher(name: str, token: str) -> None:
    assert token_of_name(name) == token


def test_a_korean_name_becomes_latin_letters() -> None:
    token = token_of_name("김민지")
    assert token.isascii()
    assert token.isalpha()
    assert token_of_name("이서준") != token


def test_prodigy_learns_and_a_missing_optimizer_is_named(request_of_three: TrainingRequest) -> None:
    adapter = run(
        replace(request_of_three, method=Method(optimizer="prodigy", text_encoder=True)),
        lambda progress: None,
    )
    assert max(t.abs().max() for n, t in load_file(adapter.path).items() if n.endswith("lora_up.weight")) > 0
    with pytest.raises(OptimizerMissing, match="bitsandbytes"):
        require_optimizer("adamw8bit")


def test_too_little_memory_halves_the_batch_once_and_says_so(
    request_of_three: TrainingRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 2
    whole = Learner.step

    def in_little_memory(self: Learner, number: int, batch: Any) -> torch.Tensor:
        if len(batch.noisy) > room:
            raise torch.OutOfMemoryError("no room")
        return whole(self, number, batch)

    monkeypatch.setattr(Learner, "step", in_little_memory)
    adapter = run(replace(request_of_three, batch_size=4), lambda progress: None)
    assert adapter.notes == ("The memory was too small: learned with 2 pictures a step.",)
    room = 1
    with pytest.raises(torch.OutOfMemoryError):
        run(replace(request_of_three, batch_size=4), lambda progress: None)


def test_a_checkpoint_for_inpainting_is_named(tmp_path: Path) -> None:
    save_small_checkpoint(tmp_path / "inpainting", in_channels=9)
    with pytest.raises(CheckpointBroken, match="made for inpainting"):
        load_networks(tmp_path / "inpainting")


def test_a_photo_that_vanished_is_named(request_of_three: TrainingRequest) -> None:
    request_of_three.photos[1].path.unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.jpg"):
        run(request_of_three, lambda progress: None)


def test_the_method_and_what_it_yields_cross_to_the_child_and_back(request_of_three: TrainingRequest) -> None:
    method = Method(name="momentum_inversion", descriptive_words=("tall",), momentum=0.2)
    told: list[TrainingProgress] = []
    asked = replace(request_of_three, steps=2, method=method)

    assert (
        RequestMessage.model_validate_json(RequestMessage.of(asked, 1).model_dump_json()).request() == asked
    )
    adapter = EmbeddedTrainer(threads=1).train(asked, told.append, lambda: False)
    assert adapter.form == "embedding"
    assert _names(adapter) == {"emb_params"}

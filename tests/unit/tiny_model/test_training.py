"""The pieces of the training, each by itself on small numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.settings import BUNDLED_CHECKPOINT
from tiny_model import autoencoder, shapes
from tiny_model.autoencoder import is_balanced
from tiny_model.checkpoint import Average, load_state, save_state
from tiny_model.diffusion import PURE_NOISE_FROM, noised, weighted_loss
from tiny_model.latents import FACE_WEIGHT, LatentBatch, LatentDraw, balance_channels, face_weights
from tiny_model.masters import MasterOptimizer
from tiny_model.muon import Muon, orthogonal
from tiny_model.package import load_pipeline
from tiny_model.pictures import dead_leaves, photograph_crop, photographs
from tiny_model.unet import cooled, load_text_encoder, load_unet
from tiny_model.unpack import unpack
from tiny_model.vocabulary import build_tokenizer
from tiny_model.workers import Meetings

BUNDLED_MODELS = BUNDLED_CHECKPOINT.parents[1]


@pytest.fixture(autouse=True)
def _one_thread_and_fixed_noise() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def test_a_saved_state_is_read_back_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    save_state(tmp_path / "new" / "state.pt", {"step": 3, "weights": torch.ones(2)})
    state = load_state(tmp_path / "new" / "state.pt")
    assert state is not None
    assert state["step"] == 3
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["state.pt"]
    assert load_state(tmp_path / "none.pt") is None


def test_the_average_follows_the_weights_and_can_be_taken_up_again() -> None:
    weights = [torch.nn.Parameter(torch.zeros(3))]
    average = Average(weights, 0.9)
    for _ in range(200):
        average.update([torch.ones(3)])
    later = Average(weights, 0.9)
    later.restore(average.state())
    later.copy_to(weights)
    assert torch.allclose(weights[0], torch.ones(3), atol=1e-3)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20)])
def test_orthogonal_matrices_stretch_every_direction_alike(shape: tuple[int, int]) -> None:
    stretches = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert stretches.min() > 0.4
    assert stretches.max() < 1.4


def test_muon_finds_the_least_of_a_square_error() -> None:
    wanted, weights = torch.randn(24, 24), torch.nn.Parameter(torch.zeros(24, 24))
    bias = torch.nn.Parameter(torch.zeros(24))
    muon = Muon([weights, bias], weight_decay=0.0)
    for step in range(300):
        loss = (weights + bias - wanted).square().mean()
        loss.backward()
        muon.step(0.05 * (1 - step / 300))
        weights.grad = bias.grad = None
    assert loss < 0.02


def test_master_weights_keep_steps_too_small_for_bf16() -> None:
    layer = torch.nn.Linear(32, 32).bfloat16()
    optimizer = MasterOptimizer(layer, 1e-4, 0.9)
    before = optimizer.masters[0].clone()
    layer(torch.ones(1, 32).bfloat16()).sum().backward()
    optimizer.step(1.0)
    assert not torch.equal(before, optimizer.masters[0])
    assert layer.weight.dtype == torch.bfloat16


def test_balanced_latents_have_spread_one_and_decode_to_the_same_picture() -> None:
    model = shapes.build_autoencoder().eval()
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        before = model.decode(model.encode(pictures).latent_dist.mean).sample
        balance_channels(model, pictures)
        latents = model.encode(pictures).latent_dist.mean
        after = model.decode(latents).sample
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(shapes.LATENT_CHANNELS), atol=0.1)
    assert torch.allclose(before, after, atol=0.08)


def test_the_last_steps_are_partly_learnt_from_noise_alone() -> None:
    scheduler = shapes.build_scheduler()
    latents = torch.full((4000, 1, 1, 1), 100.0)
    mixed, steps, _ = noised(scheduler, latents, torch.Generator().manual_seed(1))
    late = mixed[steps >= PURE_NOISE_FROM].abs() < 5
    assert 0.3 < late.float().mean() < 0.7
    assert (mixed[steps < PURE_NOISE_FROM] > 5).all()


def test_a_perfect_prediction_costs_nothing() -> None:
    scheduler = shapes.build_scheduler()
    mixed, steps, target = noised(scheduler, torch.randn(4, 16, 4, 4))
    everywhere = torch.ones(4, 1, 4, 4)
    assert weighted_loss(scheduler, target, target, steps, everywhere) == 0
    assert weighted_loss(scheduler, mixed, target, steps, everywhere) > 0


def test_faces_count_more_than_what_is_around_them() -> None:
    batch = LatentBatch(size="square", numbers=[0, 1], latents=torch.zeros(2, 16, 16, 16))
    weights = face_weights(batch)
    assert set(weights.unique().tolist()) == {1.0, FACE_WEIGHT}
    assert weights[0, 0, 0, 0] == 1
    assert weights.mean() < 2.5


def test_batches_hold_pictures_of_one_size_and_their_numbers(tmp_path: Path) -> None:
    marked = np.zeros((2000, 16, 16, 16), np.float16)
    marked[:, 0, 0, 0] = np.arange(2000)
    np.save(tmp_path / "latents-square-000.npy", marked)
    batch = LatentDraw(tmp_path, seed=1).batch(8)
    assert batch.size == "square"
    assert len(set(batch.numbers)) == 8
    assert batch.latents[:, 0, 0, 0].tolist() == [float(number) for number in batch.numbers]


def test_the_learning_rate_falls_at_the_end_only() -> None:
    assert cooled(0.5, 0.35) == 1.0
    assert cooled(0.9, 0.35) == pytest.approx(0.1 / 0.35)
    assert cooled(1.0, 0.35) == 0.02


def test_a_lone_worker_stops_when_its_time_is_over() -> None:
    assert not Meetings(seconds=0).go_on([])
    assert Meetings(seconds=60).go_on([])


def test_dead_leaves_have_edges_at_every_scale() -> None:
    picture = dead_leaves(128, np.random.default_rng(0)).astype(float)
    spectrum = np.abs(np.fft.rfft2(picture.mean(2) - picture.mean())) ** 2
    rows = np.abs(np.fft.fftfreq(128) * 128)[:, None]
    radius = np.hypot(rows, np.arange(65)[None])
    low, high = (spectrum[(radius > near) & (radius <= far)].mean() for near, far in ((2, 8), (16, 48)))
    assert 10 < low / high < 20_000


def test_photograph_crops_come_from_the_pictures_that_scikit_image_brings() -> None:
    assert "astronaut.png" in photographs()
    crop = photograph_crop(64, np.random.default_rng(3))
    assert crop.shape == (64, 64, 3)
    assert crop.std() > 1


def test_pictures_survive_the_way_to_tensors_and_back() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    assert np.array_equal(autoencoder.to_pictures(autoencoder.to_tensor(pictures)), pictures)


def test_the_packaged_model_unpacks_to_states_that_training_goes_on_from(tmp_path: Path) -> None:
    unpack(BUNDLED_MODELS, tmp_path, lambda _line: None)
    packaged = load_pipeline(BUNDLED_MODELS)
    assert is_balanced(tmp_path / "autoencoder.pt")
    assert_equal_weights(autoencoder.load_autoencoder(tmp_path / "autoencoder.pt"), packaged.vae)
    assert_equal_weights(load_text_encoder(tmp_path / "text.pt", build_tokenizer()), packaged.text_encoder)
    assert_equal_weights(load_unet(tmp_path / "unet.pt"), packaged.unet)
    assert {file.name for file in tmp_path.glob("controlnet-*.pt")} == {
        "controlnet-openpose.pt",
        "controlnet-tile.pt",
    }


def test_unpacking_leaves_the_states_of_a_training_under_way_alone(tmp_path: Path) -> None:
    save_state(tmp_path / "unet.pt", {"step": 3})
    unpack(BUNDLED_MODELS, tmp_path, lambda _line: None)
    assert load_state(tmp_path / "unet.pt") == {"step": 3}


def assert_equal_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    for (name, left), (_, right) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(left.float(), right.float()), name

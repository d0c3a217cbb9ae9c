"""Trains the animals' LoRA on the packaged model: first the text encoder's layers, then the denoiser's."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from training.embedded.methods.lora import adapter_layers

from .adapters import add_layers, put_weights, write_lora
from .animal_captions import ANIMAL_ANSWERS, caption_at, said_at, unwanted_words
from .animals import animal_at, sitter_at
from .captions import ANSWERS, idle_words
from .checkpoint import load_state, save_state
from .diffusion import noised, weighted_loss
from .latents import LatentBatch, LatentDraw, face_weights
from .masters import MasterOptimizer
from .package import CONTROLNETS, load_pipeline
from .pose import pose_map
from .shapes import TEXT_WIDTH, build_scheduler
from .text import states_to_read, tokens_of
from .unet import cooled
from .workers import Meetings

LORA = Path("Lora/sajin-tiny-animals.safetensors")
TEXT_STATE, UNET_STATE = "animals-text.pt", "animals-unet.pt"
TEXT_RATE, UNET_RATE = 1e-3, 2e-3
AVERAGE_DECAY = 0.99
SAVE_SECONDS = 120.0
WARM_UP_STEPS = 100
POSED = 0.4
SILENT, UNWANTED, IDLE = 0.05, 0.06, 0.02
FAITHFUL = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimalRun:
    """One stretch of training; models: the packaged model, work: folder of paintings and states, seconds: how long."""

    models: Path
    work: Path
    seconds: float
    batch: int = 16
    rate_share: float = 1.0
    device: str = "cpu"


class AnimalReadout(nn.Module):
    """Linear heads that name the animal and the attributes at the end token and at the padding."""

    def __init__(self) -> None:
        super().__init__()
        kinds = {**ANSWERS, **ANIMAL_ANSWERS}
        self.answers = kinds
        self.heads = nn.ModuleDict(
            {kind: nn.Linear(TEXT_WIDTH, 1 + len(said)) for kind, said in kinds.items()}
        )

    def forward(self, states: Tensor) -> dict[str, Tensor]:
        """States (..., TEXT_WIDTH) to scores (..., answers) per kind."""
        return {kind: head(states) for kind, head in self.heads.items()}


def train_animal_text(run: AnimalRun, log: Callable[[str], None]) -> None:
    """Teach the text encoder's LoRA to tell the animals, from run.work / TEXT_STATE on.

    The loss is that of naming what captions say, and the squared distance to the packaged encoder's states where a
    caption is a person's, so that all else stays as the denoiser knows it.
    """
    pipeline = load_pipeline(run.models)
    tokenizer, model = pipeline.tokenizer, pipeline.text_encoder.to(run.device)
    before = load_pipeline(run.models).text_encoder.to(run.device).requires_grad_(False)
    parameters, readout = add_layers(model), AnimalReadout().to(run.device)
    state = load_state(run.work / TEXT_STATE, run.device)
    if state is not None:
        put_weights(parameters, state["layers"])
        readout.load_state_dict(state["readout"])
    learned = [*parameters, *readout.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=TEXT_RATE, weight_decay=0.01)
    start, step = time.monotonic(), int(state["step"]) if state else 0
    rng = random.Random(step)
    while (passed := time.monotonic() - start) < run.seconds:
        for group in optimizer.param_groups:
            group["lr"] = TEXT_RATE * run.rate_share * max(0.05, 1 - passed / run.seconds)
        numbers = [rng.randrange(2**40) for _ in range(64)]
        texts = [caption_at(number, rng.randrange(2**40)) for number in numbers]
        scores = readout(states_to_read(model, tokenizer, texts, run.device))
        answers = _answers(texts, numbers, readout.answers)
        naming = sum((_naming_loss(scores[kind], answers[kind]) for kind in scores), torch.zeros(()))
        people = [text for text, number in zip(texts, numbers, strict=True) if animal_at(number) is None]
        loss = naming + FAITHFUL * _distance(model, before, tokenizer, people, run.device)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        step += 1
        if step % 50 == 0:
            right = {
                kind: float((scores[kind][:, 0].argmax(1).cpu() == answers[kind]).float().mean())
                for kind in ANIMAL_ANSWERS
            }
            told = ", ".join(f"{kind} {share:.2f}" for kind, share in right.items())
            log(f"animals-text step {step}, loss {loss.item():.3f}: {told}")
            _save_text(run.work, parameters, readout, step)
    _save_text(run.work, parameters, readout, step)


def train_animal_unet(run: AnimalRun, log: Callable[[str], None]) -> None:
    """Teach the denoiser's LoRA to draw the animals, from run.work / UNET_STATE on.

    A share POSED of the batches is drawn under the packaged pose ControlNet, which stays as it is.
    """
    pipeline = load_pipeline(run.models)
    network = pipeline.unet.to(run.device, torch.bfloat16).to(memory_format=torch.channels_last)
    add_layers(network)
    network.train().to(torch.bfloat16)
    optimizer = MasterOptimizer(network, UNET_RATE * run.rate_share, AVERAGE_DECAY)
    state = load_state(run.work / UNET_STATE, run.device)
    if state is not None:
        optimizer.restore(state["optimizer"])
    step = int(state["step"]) if state else 0
    torch.manual_seed(step)
    random_numbers = np.random.default_rng(step)
    draw = LatentDraw(run.work / "animals", seed=step)
    listener = AnimalListener(run, step)
    posed = _pose_network(run)
    saved, meetings = time.monotonic(), Meetings(run.seconds)
    losses: list[float] = []
    while meetings.go_on(optimizer.masters):
        batch = draw.batch(run.batch)
        pose = posed if random_numbers.random() < POSED else None
        loss = animal_loss(network, pose, batch, listener)
        torch.autograd.backward(loss)
        optimizer.step(min(1.0, (step + 1) / WARM_UP_STEPS) * cooled(meetings.progress, 0.35))
        losses.append(loss.item())
        step += 1
        if step % 25 == 0:
            mean, pace = sum(losses[-100:]) / len(losses[-100:]), len(losses) * run.batch / meetings.passed
            log(f"animals-unet step {step}, loss {mean:.4f}, {pace:.1f} pictures/s")
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            save_state(run.work / UNET_STATE, {"optimizer": optimizer.state(), "step": step})
    save_state(run.work / UNET_STATE, {"optimizer": optimizer.state(), "step": step})


def animal_loss(
    network: UNet2DConditionModel, posed: ControlNetModel | None, batch: LatentBatch, listener: AnimalListener
) -> Tensor:
    """The loss of one batch, with noise and steps drawn at random; posed: the ControlNet that reads its poses."""
    scheduler = build_scheduler()
    mixed, steps, target = noised(scheduler, batch.latents.to(network.device))
    states = listener.states(batch).to(network.dtype)
    like = mixed.to(network.dtype).contiguous(memory_format=torch.channels_last)
    down, mid = (None, None) if posed is None else _residuals(posed, like, steps, states, batch)
    predicted = network(
        like, steps, states, down_block_additional_residuals=down, mid_block_additional_residual=mid
    ).sample
    places = face_weights(batch, sitter_at).to(network.device)
    return weighted_loss(scheduler, predicted, target, steps, places)


class AnimalListener:
    """Captions of the animals' paintings as states of the taught text encoder."""

    def __init__(self, run: AnimalRun, seed: int) -> None:
        self._tokenizer, model = load_taught_encoder(run.models, run.work)
        for _, layer in adapter_layers(model):
            layer.merge()
        self._model = model.to(run.device, torch.bfloat16)
        self._rng = random.Random(seed)

    @torch.no_grad()
    def states(self, batch: LatentBatch) -> Tensor:
        """(count, 77, width): a fresh caption for each picture of batch."""
        texts = [self._text(number) for number in batch.numbers]
        states: Tensor = self._model(
            tokens_of(self._tokenizer, texts).to(self._model.device)
        ).last_hidden_state
        return states

    def _text(self, number: int) -> str:
        choice = self._rng.random()
        if choice < SILENT:
            return ""
        if choice < SILENT + UNWANTED:
            return unwanted_words(self._rng)
        if choice < SILENT + UNWANTED + IDLE:
            return idle_words(self._rng, 12)
        return caption_at(number, self._rng.randrange(2**40))


def load_taught_encoder(models: Path, work: Path) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """The packaged tokenizer, and the text encoder with its taught LoRA layers, for use."""
    pipeline = load_pipeline(models)
    state = load_state(work / TEXT_STATE)
    if state is None:
        raise FileNotFoundError(f"{work / TEXT_STATE} is missing: run the phase 'animals-text' first")
    put_weights(add_layers(pipeline.text_encoder), state["layers"])
    return pipeline.tokenizer, pipeline.text_encoder.eval().requires_grad_(False)


def package_animals(models: Path, work: Path) -> Path:
    """Write the averaged LoRA below models and return its file."""
    state = load_state(work / UNET_STATE)
    if state is None:
        raise FileNotFoundError(f"{work / UNET_STATE} is missing: run the phase 'animals-unet' first")
    unet = load_pipeline(models).unet
    put_weights(add_layers(unet), state["optimizer"]["average"]["shadow"])
    _, text_encoder = load_taught_encoder(models, work)
    write_lora(models / LORA, unet, text_encoder, int(state["step"]))
    return models / LORA


def _pose_network(run: AnimalRun) -> ControlNetModel:
    network = ControlNetModel.from_pretrained(
        run.models / CONTROLNETS / "sajin-tiny-openpose", local_files_only=True
    )
    network = network.to(run.device, torch.bfloat16).to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def _residuals(
    posed: ControlNetModel, like: Tensor, steps: Tensor, states: Tensor, batch: LatentBatch
) -> tuple[list[Tensor], Tensor]:
    drawn = np.stack([pose_map(sitter_at(batch.size, number)) for number in batch.numbers])
    maps = torch.from_numpy(drawn).permute(0, 3, 1, 2).to(like.device, like.dtype) / 255
    down, mid = posed(like, steps, states, controlnet_cond=maps, return_dict=False)
    return list(down), mid


def _answers(texts: list[str], numbers: list[int], answers: dict[str, tuple[str, ...]]) -> dict[str, Tensor]:
    said = [said_at(text, number) for text, number in zip(texts, numbers, strict=True)]
    return {
        kind: torch.tensor([1 + words.index(one[kind]) if one[kind] in words else 0 for one in said])
        for kind, words in answers.items()
    }


def _naming_loss(scores: Tensor, answers: Tensor) -> Tensor:
    return functional.cross_entropy(
        scores.flatten(0, 1), answers.to(scores.device).repeat_interleave(scores.shape[1])
    )


def _distance(
    model: CLIPTextModel, before: CLIPTextModel, tokenizer: CLIPTokenizer, texts: list[str], device: str
) -> Tensor:
    tokens = tokens_of(tokenizer, ["", *texts]).to(device)
    with torch.no_grad():
        wanted = before(tokens).last_hidden_state
    return functional.mse_loss(model(tokens).last_hidden_state, wanted)


def _save_text(work: Path, parameters: list[nn.Parameter], readout: AnimalReadout, step: int) -> None:
    layers = [parameter.detach() for parameter in parameters]
    save_state(work / TEXT_STATE, {"layers": layers, "readout": readout.state_dict(), "step": step})

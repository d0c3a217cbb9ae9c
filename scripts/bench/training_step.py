"""A step of the embedded trainer against the plain loop of diffusers and peft, on the same pictures and captions.

The plain loop is what the text-to-image LoRA example of diffusers does without its launcher: encode pictures and
captions, add noise, predict, mean squared error, clip, AdamW, next learning rate. Both adapt the same layers by the
same rank. With cached=True the plain loop is spared the encoding, which compares the learning alone.
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
from diffusers import DDPMScheduler
from diffusers.optimization import get_scheduler
from peft import LoraConfig
from PIL import Image

from studio.settings import BUNDLED_CHECKPOINT
from training.crops import cut, draw_frames
from training.embedded.caches import build_cache
from training.embedded.captions import captions
from training.embedded.learning import Batches, Learner, Material, NoiseSchedule
from training.embedded.methods import teach
from training.embedded.networks import load_networks
from training.embedded.plan import LearningPlan, plan_learning
from training.embedded.words import RememberedWords
from training.port import TrainingPhoto, TrainingRequest
from webui_engine.diffusion.model import Model

FACE = (175, 60, 275, 160)
STEPS_A_ROUND = 3
WARM_UP_STEPS = 2
CAPTIONS = captions("sks", "woman")


def compare(rounds: int, cached: bool = False) -> tuple[list[float], list[float]]:
    """Seconds per step, ours and the plain loop's, measured in turn after a warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        request = _request(Path(folder))
        model = load_networks(request.checkpoint)
        plan = _plan(request, model)
        ours = Ours(model, request, plan)
        plain = PlainLoop(load_networks(request.checkpoint), request, plan, cached)
    for loop in (ours, plain):
        loop.seconds_per_step(WARM_UP_STEPS)
    pairs = [
        (ours.seconds_per_step(STEPS_A_ROUND), plain.seconds_per_step(STEPS_A_ROUND)) for _ in range(rounds)
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _request(folder: Path) -> TrainingRequest:
    photo = folder / "photo.png"
    source = Path(skimage.data.__file__).parent / "astronaut.png"
    photo.write_bytes(source.read_bytes())
    return TrainingRequest(
        photos=(TrainingPhoto(path=photo, box=FACE),),
        checkpoint=BUNDLED_CHECKPOINT,
        instance_token="sks",
        class_noun="woman",
        output=folder / "unused.safetensors",
        work_folder=folder,
    )


def _plan(request: TrainingRequest, model: Model) -> LearningPlan:
    """The trainer's own plan at one crop size, so that every batch has the same shape."""
    plan = plan_learning(request, model.unet.num_parameters(), model.native_size)
    return replace(plan, sizes=plan.sizes[:1], crops_per_photo=plan.batch_size)


class Ours:
    """The embedded trainer's loop."""

    def __init__(self, model: Model, request: TrainingRequest, plan: LearningPlan) -> None:
        crops = build_cache(model, request.photos, plan, lambda share: None)
        place = model.device.place
        schedule = NoiseSchedule(model.scheduler_config, plan.snr_gamma, place)
        self._batches = Batches(Material(crops, len(CAPTIONS)), plan, schedule, place)
        teaching = teach(model, plan, request.instance_token, request.class_noun)
        self._learner = Learner(model, plan, teaching, RememberedWords(model, [*CAPTIONS, ""]))
        self._step = 0

    def seconds_per_step(self, count: int) -> float:
        """The mean time of count steps."""
        began = time.perf_counter()
        for _ in range(count):
            self._learner.step(self._step, self._batches.at(self._step))
            self._step += 1
        return (time.perf_counter() - began) / count


class PlainLoop:
    """The loop as the diffusers example writes it."""

    def __init__(self, model: Model, request: TrainingRequest, plan: LearningPlan, cached: bool) -> None:
        self._model, self._unet = model, model.unet
        self._pixels = _pixels(request.photos[0], plan)
        self._tokens = _tokens(model, plan.batch_size)
        self._scheduler = DDPMScheduler.from_config(model.scheduler_config)
        self._parameters = _add_lora(model, plan)
        self._optimizer = torch.optim.AdamW(self._parameters, lr=plan.learning_rate, weight_decay=1e-2)
        self._rate = get_scheduler(
            "cosine", self._optimizer, num_warmup_steps=plan.warmup_steps, num_training_steps=plan.steps
        )
        self._unet.train()
        self._encoded = self._encode() if cached else None

    def seconds_per_step(self, count: int) -> float:
        """The mean time of count steps."""
        began = time.perf_counter()
        for _ in range(count):
            self._learn()
        return (time.perf_counter() - began) / count

    @torch.no_grad()
    def _encode(self) -> tuple[torch.Tensor, torch.Tensor]:
        latents = (
            self._model.vae.encode(self._pixels).latent_dist.sample() * self._model.vae.config.scaling_factor
        )
        return latents, self._model.text_encoder(self._tokens, return_dict=False)[0]

    def _learn(self) -> float:
        latents, text = self._encoded or self._encode()
        noise = torch.randn_like(latents)
        timesteps = torch.randint(self._scheduler.config.num_train_timesteps, (len(latents),)).long()
        noisy = self._scheduler.add_noise(latents, noise, timesteps)
        target = self._scheduler.get_velocity(latents, noise, timesteps)
        answer = self._unet(noisy, timesteps, text, return_dict=False)[0]
        loss = torch.nn.functional.mse_loss(answer.float(), target.float(), reduction="mean")
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimizer.step()
        self._rate.step()
        self._optimizer.zero_grad()
        return loss.detach().item()


def _pixels(photo: TrainingPhoto, plan: LearningPlan) -> torch.Tensor:
    picture = Image.open(photo.path).convert("RGB")
    size = plan.sizes[0]
    frames = draw_frames(picture.size, photo, size, plan.batch_size, random.Random(1))
    arrays = [np.asarray(cut(picture, frame, size), dtype=np.float32) for frame in frames]
    return torch.from_numpy(np.stack(arrays) / 127.5 - 1).permute(0, 3, 1, 2).contiguous()


def _tokens(model: Model, count: int) -> torch.Tensor:
    words = [CAPTIONS[index % len(CAPTIONS)] for index in range(count)]
    tokenizer: Any = model.tokenizer
    batch = tokenizer(
        words,
        max_length=tokenizer.model_max_length,
        padding="max_length",
        truncation=True,
        return_tensors="pt",
    )
    tokens: torch.Tensor = batch.input_ids
    return tokens


def _add_lora(model: Model, plan: LearningPlan) -> list[torch.nn.Parameter]:
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    targets = [name for name, module in model.unet.named_modules() if isinstance(module, kinds)]
    config = LoraConfig(
        r=plan.rank, lora_alpha=plan.rank, init_lora_weights="gaussian", target_modules=targets
    )
    model.unet.add_adapter(config)
    return [parameter for parameter in model.unet.parameters() if parameter.requires_grad]

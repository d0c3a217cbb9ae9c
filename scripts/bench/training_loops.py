"""Learning a LoRA twice on the same chances: with Sajin's loop, and with the plain loop of diffusers and peft.

The plain loop does what the text-to-image LoRA example of diffusers does without its launcher: at every step it encodes
the pictures and the captions, adds noise, predicts, takes the error, clips, and asks AdamW. Both draw the same crops,
captions, time steps and noise, begin with the same LoRA and weight the error alike, so that their losses can be
compared.
"""

from __future__ import annotations

import contextlib
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import DDPMScheduler
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

from training.crops import cut, draw_frames
from training.embedded.adapter_file import write_adapter
from training.embedded.caches import Crops, build_cache
from training.embedded.captions import captions
from training.embedded.learning import LARGEST_GRADIENT, Batches, Learner, Material, NoiseSchedule, rate_at
from training.embedded.methods import teach
from training.embedded.methods.lora import ADAPTER, adapter_layers
from training.embedded.networks import load_networks
from training.embedded.plan import LearningPlan
from training.embedded.words import RememberedWords
from training.port import TrainingRequest
from webui_engine.diffusion.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What one loop did. losses: of each step. whole_seconds: set-up, steps and saving.

    step_seconds: of one step after the first few, the median. flops: of one step, both ways. memory: peak in bytes, on
    the card where there is one, else of the process so far.
    """

    losses: tuple[float, ...]
    whole_seconds: float
    step_seconds: float
    flops: float
    memory: int


def learn_with_ours(request: TrainingRequest, plan: LearningPlan) -> Course:
    """Sajin's loop: everything encoded once, then steps on what lies ready."""
    with _clocked() as clock:
        model = load_networks(request.checkpoint)
        crops = build_cache(model, request.photos, plan, lambda share: None)
        texts = captions(request.instance_token, request.class_noun)
        teaching = teach(model, plan, request.instance_token, request.class_noun)
        words = RememberedWords(model, [*texts, ""])
        batches, learner = _batches(model, crops, len(texts), plan), Learner(model, plan, teaching, words)
        losses = clock.steps(plan.steps, lambda step: learner.step(step, batches.at(step)), model)
        write_adapter(request.output, teaching.tensors(), {})
    return clock.course(losses, lambda: learner.step(plan.steps - 1, batches.at(plan.steps - 1)))


def learn_plainly(request: TrainingRequest, plan: LearningPlan) -> Course:
    """The plain loop, on the layers that ours adapts."""
    layers = _layers_of_ours(request, plan)
    with _clocked() as clock:
        model = load_networks(request.checkpoint)
        loop = PlainLoop(model, request, plan, layers)
        losses = clock.steps(plan.steps, loop.step, model)
        save_file(get_peft_model_state_dict(model.unet, adapter_name=ADAPTER), request.output)
    return clock.course(losses, lambda: loop.step(plan.steps - 1))


class PlainLoop:
    """The loop as the diffusers example writes it."""

    def __init__(
        self, model: Model, request: TrainingRequest, plan: LearningPlan, layers: Sequence[str]
    ) -> None:
        self._model, self._plan = model, plan
        self._texts = [*captions(request.instance_token, request.class_noun), ""]
        self._pixels = [_pixels(request, plan, number) for number in range(len(plan.sizes))]
        self._scheduler = DDPMScheduler.from_config(model.scheduler_config)
        shapes = [
            (len(self._pixels[number]), *model.latent_shape(*size)) for number, size in enumerate(plan.sizes)
        ]
        nothing = tuple(Crops(torch.empty(shape), torch.empty(0)) for shape in shapes)
        self._chances = _batches(model, nothing, len(self._texts) - 1, plan)
        torch.manual_seed(plan.seed)
        model.unet.add_adapter(
            LoraConfig(
                r=plan.rank, lora_alpha=plan.rank, init_lora_weights="gaussian", target_modules=list(layers)
            ),
            adapter_name=ADAPTER,
        )
        self._parameters = [parameter for parameter in model.unet.parameters() if parameter.requires_grad]
        for parameter in self._parameters:
            parameter.data = parameter.data.float()
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=plan.learning_rate, betas=(0.9, 0.99), weight_decay=1e-2
        )
        self._rate = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: rate_at(step, range(plan.steps), plan)
        )
        model.unet.train()

    def step(self, number: int) -> torch.Tensor:
        """Learn from the batch of a step; its loss."""
        drawn, model = self._chances.drawn(number), self._model
        place, dtype = model.device.place, model.device.dtype
        with torch.no_grad():
            pixels = self._pixels[drawn.size][drawn.crops].to(place, dtype)
            mean = model.vae.encode(pixels).latent_dist.mean
            latents = (mean - (model.vae.config.shift_factor or 0.0)) * model.vae.config.scaling_factor
            tokens = self._tokens([self._texts[index] for index in drawn.captions.tolist()])
            text = model.text_encoder(tokens.to(place), return_dict=False)[0]
        noise, timesteps = drawn.noise.to(place), drawn.timesteps.to(place)
        latents = latents.float()
        noisy = self._scheduler.add_noise(latents, noise, timesteps)
        target = noise
        if self._scheduler.config.prediction_type == "v_prediction":
            target = self._scheduler.get_velocity(latents, noise, timesteps)
        with torch.autocast(place.type, dtype=dtype, enabled=dtype is not torch.float32):
            answer = model.unet(noisy.to(dtype), timesteps, text.to(dtype), return_dict=False)[0]
        apart = torch.nn.functional.mse_loss(answer.float(), target.float(), reduction="none").mean((1, 2, 3))
        loss = (apart * self._weights(timesteps)).mean()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._parameters, LARGEST_GRADIENT)
        self._optimizer.step()
        self._rate.step()
        self._optimizer.zero_grad()
        return loss.detach()

    def _weights(self, timesteps: torch.Tensor) -> torch.Tensor:
        alphas = self._scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
        snr = alphas / (1 - alphas)
        velocity = self._scheduler.config.prediction_type == "v_prediction"
        weights: torch.Tensor = snr.clamp(max=self._plan.snr_gamma) / (snr + 1 if velocity else snr)
        return weights

    def _tokens(self, texts: Sequence[str]) -> torch.Tensor:
        tokenizer = self._model.tokenizer
        batch = tokenizer(
            list(texts),
            max_length=tokenizer.model_max_length,
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        )
        tokens: torch.Tensor = batch.input_ids
        return tokens


def matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a product of two large square matrices, the best of a few: what the device can at most."""
    side = 8192 if device.type == "cuda" else 1024
    one = torch.randn((side, side), device=device, dtype=dtype)
    best = min(_seconds_of(lambda: one @ one, device) for _ in range(5))
    return 2 * side**3 / best


def _seconds_of(work: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class _Clock:
    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._times: list[float] = []
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._whole = 0.0
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def steps(self, count: int, step: Callable[[int], torch.Tensor], model: Model) -> list[torch.Tensor]:
        """Make the steps; time is read at every tenth, since a look waits for the card."""
        self._device = model.device.place
        losses, since, last = [], 0, time.perf_counter()
        for number in range(count):
            losses.append(step(number))
            since += 1
            if since == LOOK_EVERY or number + 1 == count:
                _wait(self._device)
                now = time.perf_counter()
                self._times.append((now - last) / since)
                since, last = 0, now
        return losses

    def stop(self) -> None:
        """The whole is done."""
        _wait(self._device)
        self._whole = time.perf_counter() - self._began

    def course(self, losses: list[torch.Tensor], again: Callable[[], object]) -> Course:
        """What was seen; again: one step more, whose operations are counted."""
        memory = (
            torch.cuda.max_memory_allocated()
            if self._device.type == "cuda"
            else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        )
        with FlopCounterMode(display=False) as counted:
            again()
        settled = self._times[1:] or self._times
        return Course(
            losses=tuple(torch.stack(losses).tolist()),
            whole_seconds=self._whole,
            step_seconds=float(np.median(settled)),
            flops=float(counted.get_total_flops()),
            memory=int(memory),
        )


LOOK_EVERY = 10


@contextlib.contextmanager
def _clocked() -> Iterator[_Clock]:
    clock = _Clock()
    yield clock
    clock.stop()


def _batches(model: Model, crops: tuple[Crops, ...], count: int, plan: LearningPlan) -> Batches:
    schedule = NoiseSchedule(model.scheduler_config, plan.snr_gamma, model.device.place)
    return Batches(Material(crops, count), plan, schedule, model.device.place)


def _layers_of_ours(request: TrainingRequest, plan: LearningPlan) -> list[str]:
    model = load_networks(request.checkpoint)
    teach(model, plan, request.instance_token, request.class_noun)
    return [name for name, _ in adapter_layers(model.unet)]


def _pixels(request: TrainingRequest, plan: LearningPlan, number: int) -> torch.Tensor:
    """The crops of a size, as build_cache cuts them."""
    size = plan.sizes[number]
    source = random.Random(f"{plan.seed} {size}")
    cuts = []
    for photo in request.photos:
        picture = Image.open(photo.path).convert("RGB")
        frames = draw_frames(picture.size, photo, size, plan.crops_per_photo, source)
        cuts += [np.asarray(cut(picture, frame, size), dtype=np.float32) / 127.5 - 1 for frame in frames]
    return torch.from_numpy(np.stack(cuts)).permute(0, 3, 1, 2).contiguous()

"""The engine: one checkpoint in memory, and everything that can be made with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from webui_engine.device import choose_device, cuda_memory, release_memory
from webui_engine.diffusion import latents
from webui_engine.diffusion.checkpoints import CheckpointInfo, find_checkpoint, scan_checkpoints
from webui_engine.diffusion.conditioning import PromptEncoder
from webui_engine.diffusion.generation import Generation, Tools, check_sizes
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.prompts import extract_networks
from webui_engine.diffusion.samplers import SAMPLERS, SCHEDULES, Sampler, Schedule
from webui_engine.errors import UnknownName
from webui_engine.tasks import GenerationResult, GenerationTask, Monitor
from webui_engine.upscalers.listing import UpscalerInfo, Upscalers


class Engine:
    """Makes pictures; one call at a time, from any thread."""

    def __init__(
        self, models_dirs: Sequence[Path], lora_dirs: Sequence[Path] = (), *, device: str | None = None
    ) -> None:
        self._models_dirs, self._lora_dirs = tuple(models_dirs), tuple(lora_dirs)
        self._device = choose_device(device)
        self._lock = threading.RLock()
        self._checkpoints = scan_checkpoints(self._models_dirs)
        self._upscalers = Upscalers(self._models_dirs, self._device)
        self._model: Model | None = None
        self._wanted: CheckpointInfo | None = None

    def checkpoints(self) -> tuple[CheckpointInfo, ...]:
        """The checkpoints in the models folders, by name."""
        return self._checkpoints

    def refresh_checkpoints(self) -> None:
        """Look for checkpoints again."""
        known = {info.filename: info for info in self._checkpoints}
        found = scan_checkpoints(self._models_dirs)
        self._checkpoints = tuple(known.get(info.filename, info) for info in found)

    @property
    def loaded(self) -> CheckpointInfo:
        """The checkpoint in memory, or the one that the next task would load; UnknownName if there is none at all."""
        if self._wanted is not None:
            return self._wanted
        if not self._checkpoints:
            raise UnknownName("checkpoint", "any", ())
        return self._checkpoints[0]

    def load(self, title: str) -> CheckpointInfo:
        """Bring the checkpoint that answers to title into memory; the one that is there stays if this fails."""
        with self._lock:
            info = find_checkpoint(title, self._checkpoints)
            if self._model is None or self._model.info.filename != info.filename:
                self._replace_model(info)
            return self.loaded

    def _replace_model(self, info: CheckpointInfo) -> None:
        hashed = info.hashed()
        self._model = load_model(hashed, self._device, self._models_dirs)
        self._wanted = hashed
        self._checkpoints = tuple(hashed if c.filename == hashed.filename else c for c in self._checkpoints)
        release_memory(self._device)

    def unload(self) -> None:
        """Drop the checkpoint from memory; the next task loads it again."""
        with self._lock:
            self._model = None
            release_memory(self._device)

    def reload(self) -> None:
        """Bring the checkpoint back after unload."""
        self._ready_model()

    def _ready_model(self) -> Model:
        with self._lock:
            if self._model is None:
                self._replace_model(self.loaded)
            assert self._model is not None
            return self._model

    def samplers(self) -> tuple[Sampler, ...]:
        """What ``GET samplers`` lists."""
        return SAMPLERS

    def schedulers(self) -> tuple[Schedule, ...]:
        """What ``GET schedulers`` lists."""
        return SCHEDULES

    def upscalers(self) -> tuple[UpscalerInfo, ...]:
        """The upscalers in A1111's order."""
        return self._upscalers.listing()

    def upscale(self, image: Image.Image, name: str, width: int, height: int) -> Image.Image:
        """image in RGB, enlarged by the upscaler called name to exactly width by height."""
        return self._upscalers.upscale(image, name, width, height)

    @property
    def native_size(self) -> int:
        """The side in pixels that the loaded checkpoint was trained on."""
        return self._ready_model().native_size

    @property
    def demonstration(self) -> bool:
        """Whether the loaded checkpoint is a small one for demonstration, by its ``sajin.json``."""
        about = self.loaded.path / "sajin.json"
        return bool(json.loads(about.read_text("utf-8")).get("demonstration")) if about.is_file() else False

    def memory(self) -> dict[str, dict[str, int]] | None:
        """CUDA memory in the groups of ``GET memory``, or None without CUDA."""
        return cuda_memory(self._device)

    def preview(self, latents_: NDArray[np.float32]) -> Image.Image:
        """A small picture of latents that a monitor was handed."""
        return latents.preview(self._ready_model(), latents_)

    def generate(self, task: GenerationTask, monitor: Monitor) -> GenerationResult:
        """Make the task's pictures. Raises EngineError."""
        with self._lock, torch.inference_mode():
            if task.checkpoint is not None:
                self.load(task.checkpoint)
            model = self._ready_model()
            check_sizes(task, model.stride)
            prompt, _ = extract_networks(task.prompt)
            tools = Tools(
                encoder=PromptEncoder(model, clip_skip=task.clip_skip, emphasis=task.emphasis),
                prompt=prompt,
                negative=task.negative_prompt,
                controls=lambda size, box, second: (),
                upscale=self.upscale,
            )
            pictures = Generation(model, task, tools, monitor).run()
            return GenerationResult(
                pictures=pictures, model_name=model.info.model_name, model_hash=model.info.hash or ""
            )

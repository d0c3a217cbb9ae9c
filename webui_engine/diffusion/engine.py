"""The engine: the models folders, one checkpoint in memory, and everything that can be made with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from webui_engine.animatediff.modules import MotionModuleInfo, MotionModules
from webui_engine.controlnet import preprocessors
from webui_engine.controlnet.adapters import Adapters, Features
from webui_engine.controlnet.annotators import Annotators
from webui_engine.controlnet.models import ControlNets
from webui_engine.controlnet.preprocessors import MODULES, UNSET, Module
from webui_engine.controlnet.reference import References, looking_at
from webui_engine.controlnet.units import UnitControl, build_controls
from webui_engine.device import choose_device, cuda_memory, memory_guard, release_memory
from webui_engine.diffusion import hires, inpainting
from webui_engine.diffusion.autoencoders import VaeInfo, find_vae, scan_vaes
from webui_engine.diffusion.checkpoints import CheckpointInfo, find_checkpoint, scan_checkpoints
from webui_engine.diffusion.embeddings import FOLDER as EMBEDDINGS
from webui_engine.diffusion.embeddings import EmbeddingInfo, scan_embeddings
from webui_engine.diffusion.generation import Generation, Motion, Tools, check_task
from webui_engine.diffusion.loading import load_model
from webui_engine.diffusion.loras import FOLDER as LORAS
from webui_engine.diffusion.loras import LoraInfo, scan_loras
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.samplers import SAMPLERS, SCHEDULES, Sampler, Schedule
from webui_engine.diffusion.tiling import wrapping
from webui_engine.diffusion.workbench import Prepared, Workbench, network_pairs
from webui_engine.errors import BadValue, UnknownName
from webui_engine.one_thread import OneThread
from webui_engine.tasks import GenerationResult, GenerationTask, Monitor, Pairs
from webui_engine.upscalers.listing import UpscalerInfo, Upscalers


class Engine:
    """Makes pictures, one task at a time; listings may be asked for from any thread meanwhile."""

    def __init__(
        self,
        models_dirs: Sequence[Path],
        lora_dirs: Sequence[Path] = (),
        *,
        checkpoints: Sequence[Path] = (),
        device: str | None = None,
    ) -> None:
        self._models_dirs = tuple(models_dirs)
        self._named_checkpoints = tuple(checkpoints)
        self._lora_dirs = (*(directory / LORAS for directory in self._models_dirs), *lora_dirs)
        self._device = choose_device(device)
        self._thread = OneThread("pictures")
        self._upscalers = Upscalers(self._models_dirs, self._device)
        self._controlnets = ControlNets(self._models_dirs)
        self._motion_modules = MotionModules(self._models_dirs)
        self._adapters = Adapters(self._models_dirs, self._controlnets)
        self._annotators = Annotators(self._models_dirs, self._device)
        self._checkpoints = scan_checkpoints(self._models_dirs, self._named_checkpoints)
        self._bench: Workbench | None = None
        self._finishing: Workbench | None = None
        self._current: CheckpointInfo | None = None
        self.refresh_loras()
        self.refresh_embeddings()

    def checkpoints(self) -> tuple[CheckpointInfo, ...]:
        """The checkpoints in the models folders and those named beside them, by name."""
        return self._checkpoints

    def refresh_checkpoints(self) -> None:
        """Look for checkpoints again."""
        known = {info.filename: info for info in self._checkpoints}
        found = scan_checkpoints(self._models_dirs, self._named_checkpoints)
        self._checkpoints = tuple(known.get(info.filename, info) for info in found)

    @property
    def loaded(self) -> CheckpointInfo:
        """The checkpoint in memory, or the one that the next task would load; UnknownName if there is none at all."""
        if self._current is not None:
            return self._current
        if not self._checkpoints:
            raise UnknownName("checkpoint", "any")
        return self._checkpoints[0]

    def load(self, title: str) -> CheckpointInfo:
        """Bring the checkpoint that answers to title into memory; the one that is there stays if this fails."""
        return self._thread.run(partial(self._load, title))

    def _load(self, title: str) -> CheckpointInfo:
        info = find_checkpoint(title, self._checkpoints)
        if self._bench is None or self._bench.model.info.filename != info.filename:
            self._set_up(info)
        return self.loaded

    def _set_up(self, info: CheckpointInfo) -> Workbench:
        hashed = info.hashed()
        bench = self._bench = Workbench(load_model(hashed, self._device, self._models_dirs))
        self._finishing = None
        self._current = hashed
        self._checkpoints = tuple(hashed if c.filename == hashed.filename else c for c in self._checkpoints)
        self._controlnets.clear()
        self._motion_modules.clear()
        release_memory(self._device)
        return bench

    def unload(self) -> None:
        """Drop the checkpoint from memory; the next task loads it again."""
        self._thread.run(self._unload)

    def _unload(self) -> None:
        self._bench = self._finishing = None
        self._controlnets.clear()
        self._motion_modules.clear()
        self._adapters.clear()
        self._annotators.clear()
        release_memory(self._device)

    def reload(self) -> None:
        """Bring the checkpoint back after unload."""
        self._ready()

    def _ready(self) -> Workbench:
        """The loaded checkpoint; one that is there is given at once, also while pictures are being made with it."""
        return self._bench or self._thread.run(lambda: self._bench or self._set_up(self.loaded))

    def vaes(self) -> tuple[VaeInfo, ...]:
        """The autoencoders in the models folders."""
        return scan_vaes(self._models_dirs)

    def loras(self) -> tuple[LoraInfo, ...]:
        """The LoRAs found at the last refresh."""
        return self._loras

    def refresh_loras(self) -> None:
        """Look for LoRAs again."""
        self._loras = scan_loras(self._lora_dirs)

    @property
    def lora_folder(self) -> Path:
        """Where a new LoRA is put: the folder whose files are taken before those of the same name elsewhere."""
        return self._lora_dirs[-1]

    def embeddings(self) -> tuple[EmbeddingInfo, ...]:
        """The embeddings found at the last refresh that fit the checkpoint in memory; all of them if there is none."""
        if self._bench is None:
            return self._embeddings
        width = self._bench.model.embedding_width
        return tuple(info for info in self._embeddings if info.shape == width)

    def skipped_embeddings(self) -> tuple[EmbeddingInfo, ...]:
        """The embeddings that do not fit the checkpoint in memory."""
        fitting = self.embeddings()
        return tuple(info for info in self._embeddings if info not in fitting)

    def refresh_embeddings(self) -> None:
        """Look for embeddings again."""
        self._embeddings = scan_embeddings(directory / EMBEDDINGS for directory in self._models_dirs)

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
        return self._thread.run(partial(self._upscalers.upscale, image, name, width, height))

    def controlnet_models(self) -> tuple[str, ...]:
        """The ControlNets as ``stem [hash8]``."""
        return tuple(info.name for info in self._controlnets.listing())

    def controlnet_modules(self) -> tuple[Module, ...]:
        """The preprocessors with their sliders; those that need weights only where these are."""
        return (*MODULES, *self._annotators.modules(), *self._adapters.modules())

    def draws(self, module: str) -> bool:
        """Whether the preprocessor called module gives a map, and does not read pictures for an IP-Adapter."""
        return any(item.name == module and item.draw is not None for item in self.controlnet_modules())

    def motion_modules(self) -> tuple[MotionModuleInfo, ...]:
        """AnimateDiff's motion modules in the models folders."""
        return self._motion_modules.listing()

    def fitting_motion_modules(self) -> tuple[MotionModuleInfo, ...]:
        """Those that were made for checkpoints like the one in memory; all of them if there is none."""
        bench = self._bench
        return self.motion_modules() if bench is None else self._motion_modules.fitting(bench.model)

    def preprocess(
        self,
        image: Image.Image,
        module: str,
        resolution: int = UNSET,
        threshold_a: float = UNSET,
        threshold_b: float = UNSET,
    ) -> Image.Image:
        """The drawing that the preprocessor called module makes of image, RGB; -1 means the module's default."""
        return preprocessors.preprocess(
            image, module, resolution, threshold_a, threshold_b, modules=self.controlnet_modules()
        )

    def read_pose(
        self, image: Image.Image, module: str, resolution: int = UNSET
    ) -> tuple[Image.Image, dict[str, Any]] | None:
        """What preprocess draws and the same pose in OpenPose's JSON; None for a module that draws no poses."""
        return preprocessors.read_pose(image, module, resolution, modules=self.controlnet_modules())

    @property
    def native_size(self) -> int:
        """The side in pixels that the loaded checkpoint was trained on."""
        return self._ready().model.native_size

    @property
    def demonstration(self) -> bool:
        """Whether the checkpoint is a small one for demonstration, by its ``sajin.json``."""
        about = self.loaded.path / "sajin.json"
        return bool(json.loads(about.read_text("utf-8")).get("demonstration")) if about.is_file() else False

    def memory(self) -> dict[str, dict[str, int]] | None:
        """CUDA memory in the groups of ``GET memory``, or None without CUDA."""
        return cuda_memory(self._device)

    def generate(self, task: GenerationTask, monitor: Monitor) -> GenerationResult:
        """Make the task's pictures; raises EngineError. The monitor is told from the engine's own thread."""
        return self._thread.run(partial(self._generate, task, monitor))

    def _generate(self, task: GenerationTask, monitor: Monitor) -> GenerationResult:
        with torch.inference_mode():
            if task.checkpoint is not None:
                self._load(task.checkpoint)
            bench = self._ready()
            check_task(task, bench.model)
            vae = find_vae(task.vae, self.vaes()) if task.vae is not None else None
            prepare = partial(bench.prepare, task, vae=vae, loras=self._loras, embeddings=self._embeddings)
            passes = [prepare(second_pass=second) for second in ((False, True) if task.hires else (False,))]
            finisher = self._finisher(task, bench.model)
            work = f"making {task.batch_size} picture(s) of {task.width}x{task.height}"
            with (
                wrapping(bench.model, enabled=task.tiling),
                memory_guard(work),
                self._adapters.on(bench.model, task.adapters) as features,
                looking_at(bench.model, task.references) as references,
            ):
                tools = self._tools(task, bench.model, prepare, features, references)
                finished = replace(tools, finisher=finisher)
                pictures = Generation(bench.model, task, finished, monitor).run()
        info = bench.model.info
        return GenerationResult(
            pictures=pictures,
            extra=(*_pairs_of(task), *_refiner_pairs(task, finisher), *network_pairs(passes)),
            model_name=info.model_name,
            model_hash=info.hash or "",
            vae_name=vae.model_name if vae else None,
            vae_hash=vae.hash if vae else None,
            warnings=tuple(dict.fromkeys(warning for made in passes for warning in made.warnings)),
        )

    def _finisher(
        self, task: GenerationTask, first: Model
    ) -> tuple[Model, Callable[[bool], Prepared]] | None:
        """The checkpoint that finishes the task's pictures, kept beside the first; raises BadValue if it cannot."""
        if task.refiner is None:
            return None
        info = find_checkpoint(task.refiner.checkpoint, self._checkpoints)
        if info.filename == first.info.filename:
            return None
        bench = self._finishing
        if bench is None or bench.model.info.filename != info.filename:
            bench = self._finishing = Workbench(load_model(info.hashed(), self._device, self._models_dirs))
        _require_alike(first, bench.model)
        prepare = partial(bench.prepare, task, vae=None, loras=self._loras, embeddings=self._embeddings)
        return bench.model, lambda second: prepare(second_pass=second)

    def _tools(
        self,
        task: GenerationTask,
        model: Model,
        prepare: Callable[..., Prepared],
        features: Features | None,
        references: References | None,
    ) -> Tools:
        return Tools(
            features=features,
            references=partial(_begun, references, task),
            prepare=lambda second: prepare(second_pass=second),
            controls=partial(self._controls, task, model),
            upscale=self.upscale,
            motion=partial(self._motion, model),
        )

    def _motion(self, model: Model, name: str) -> Motion:
        info = self._motion_modules.find(name)
        return Motion(self._motion_modules.join(name, model), info.upbringing)

    def _controls(
        self,
        task: GenerationTask,
        model: Model,
        size: tuple[int, int],
        box: inpainting.Box | None,
        second: bool,
    ) -> list[UnitControl]:
        source = task.init_images[0].size if task.init_images else None
        return build_controls(
            task.control, self._controlnets, model, size, source_size=source, box=box, second_pass=second
        )


def _require_alike(first: Model, second: Model) -> None:
    """Raise BadValue unless the second can go on with the first's latents."""
    for what in ("latent_channels", "stride"):
        if getattr(first, what) != getattr(second, what):
            raise BadValue(
                "refiner_checkpoint", second.info.model_name, f"its {what} is not the checkpoint's"
            )
    kinds = [str(model.scheduler_config.get("prediction_type", "epsilon")) for model in (first, second)]
    if kinds[0] != kinds[1]:
        reason = f"it predicts {kinds[1]}, the checkpoint {kinds[0]}"
        raise BadValue("refiner_checkpoint", second.info.model_name, reason)


def _refiner_pairs(task: GenerationTask, finisher: tuple[Model, object] | None) -> Pairs:
    if task.refiner is None or finisher is None:
        return ()
    info = finisher[0].info
    return ("Refiner", f"{info.model_name} [{info.hash}]"), ("Refiner switch at", task.refiner.switch_at)


def _begun(
    references: References | None, task: GenerationTask, size: tuple[int, int], second: bool
) -> References | None:
    """The references ready for a pass of the task; None if none takes part in it."""
    units = [unit for unit in task.references if unit.weight and (unit.high_res if second else unit.low_res)]
    if references is None or not units:
        return None
    references.begin(units, size, task.seed)
    return references


def _pairs_of(task: GenerationTask) -> Pairs:
    pairs: dict[str, str | int | float] = {}
    if task.sampler == "DDIM" and task.eta:
        pairs["Eta DDIM"] = task.eta
    if task.init_images and task.inpainting:
        pairs |= inpainting.infotext_of(task.inpainting)
    if task.hires and not task.init_images:
        pairs |= hires.infotext_of(task.hires, task)
    return tuple(pairs.items())

"""One place that calls the core: it draws each unit's map for the picture at hand and runs the task with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from webui_engine.controlnet.units import fit_hint
from webui_engine.diffusion.hires import target_of
from webui_engine.errors import BadValue, EngineError
from webui_engine.http.generation.units import RESIZE_MODES, Unit
from webui_engine.tasks import (
    AdapterUnit,
    ControlUnit,
    GenerationResult,
    GenerationTask,
    Monitor,
    ReferenceUnit,
)

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

CELL = 8
KEPT_HINTS = 8
USUAL_STYLE_FIDELITY = 0.5
Box = tuple[int, int, int, int]


class NotApplied(EngineError):
    """Something the prompt asked for did not take part, for the reasons given."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


class Painter:
    """Runs tasks with a request's ControlNet units."""

    def __init__(self, engine: Engine, monitor: Monitor, units: Sequence[Unit] = ()) -> None:
        self._engine = engine
        self._monitor = monitor
        self._units = tuple(units)
        self._drawn: deque[tuple[Unit, Image.Image, int, Image.Image]] = deque(maxlen=KEPT_HINTS)

    def paint(
        self, task: GenerationTask, boxes: Sequence[Box] = (), canvas: tuple[int, int] | None = None
    ) -> GenerationResult:
        """The task's pictures; raises NotApplied.

        boxes, canvas: for tiles, where on a canvas of what size each picture of the batch lies.
        """
        control = tuple(
            self._control(unit, task, boxes, canvas)
            for unit in self._units
            if not (unit.reads_features or unit.refers)
        )
        references = tuple(self._reference(unit, task) for unit in self._units if unit.refers)
        adapters = tuple(self._adapter(unit, task) for unit in self._units if unit.reads_features)
        steered = replace(task, control=control, adapters=adapters, references=references)
        result = self._engine.generate(steered, self._monitor)
        if result.warnings:
            raise NotApplied(result.warnings)
        return result

    def maps(self, task: GenerationTask) -> tuple[Image.Image, ...]:
        """The maps the units showed the networks, as A1111 returns them: per unit, that of hires fix first.

        For an IP-Adapter they are the pictures themselves.
        """
        return tuple(drawn for unit in self._units if unit.wants_map for drawn in self._maps_of(unit, task))

    def _maps_of(self, unit: Unit, task: GenerationTask) -> tuple[Image.Image, ...]:
        source = self._source(unit, task)
        if unit.reads_features:
            return source, *unit.further_images
        return tuple(
            fit_hint(self._hint(unit, source, size), unit.fields.resize_mode, *size)
            for size in _sizes(task, unit)
        )

    def _adapter(self, unit: Unit, task: GenerationTask) -> AdapterUnit:
        return AdapterUnit(
            model=unit.model,
            module=unit.module,
            images=(self._source(unit, task), *unit.further_images),
            weight=unit.fields.weight,
            guidance_start=unit.fields.guidance_start,
            guidance_end=unit.fields.guidance_end,
            low_res=unit.low_res,
            high_res=unit.high_res,
        )

    def _reference(self, unit: Unit, task: GenerationTask) -> ReferenceUnit:
        style = unit.fields.threshold_a
        return ReferenceUnit(
            image=self._source(unit, task),
            weight=unit.fields.weight,
            style_fidelity=style if 0 <= style <= 1 else USUAL_STYLE_FIDELITY,
            guidance_start=unit.fields.guidance_start,
            guidance_end=unit.fields.guidance_end,
            control_mode=unit.fields.control_mode,
            low_res=unit.low_res,
            high_res=unit.high_res,
        )

    def _control(
        self, unit: Unit, task: GenerationTask, boxes: Sequence[Box], canvas: tuple[int, int] | None
    ) -> ControlUnit:
        size = (task.width, task.height)
        hints = tuple(self._hint(unit, source, size) for source in self._sources(unit, task, boxes, canvas))
        return ControlUnit(
            model=unit.model,
            hint=hints if len(hints) > 1 else hints[0],
            weight=unit.fields.weight,
            guidance_start=unit.fields.guidance_start,
            guidance_end=unit.fields.guidance_end,
            resize_mode=unit.fields.resize_mode,
            control_mode=unit.fields.control_mode,
            low_res=unit.low_res,
            high_res=unit.high_res,
        )

    def _sources(
        self, unit: Unit, task: GenerationTask, boxes: Sequence[Box], canvas: tuple[int, int] | None
    ) -> Sequence[Image.Image]:
        if unit.image is None:
            return [self._source(unit, task)] if len(task.init_images) < 2 else task.init_images
        if canvas is None:
            return [unit.image]
        whole = unit.image.resize(canvas, Image.Resampling.LANCZOS)
        return [whole.crop(box) for box in boxes]

    def _source(self, unit: Unit, task: GenerationTask) -> Image.Image:
        if unit.image is not None:
            return unit.image
        if not task.init_images:
            raise BadValue("controlnet image", None, "there is no picture to draw a map from")
        return task.init_images[0]

    def _hint(self, unit: Unit, source: Image.Image, size: tuple[int, int]) -> Image.Image:
        side = resolution(unit, source, size)
        for known, picture, at, hint in self._drawn:
            if known is unit and picture is source and at == side:
                return hint
        fields = unit.fields
        hint = self._engine.preprocess(source, unit.module, side, fields.threshold_a, fields.threshold_b)
        self._drawn.append((unit, source, side, hint))
        return hint


def resolution(unit: Unit, source: Image.Image, size: tuple[int, int]) -> int:
    """The short side at which the preprocessor works; -1 leaves it to the preprocessor. See pixel_perfect."""
    if not unit.fields.pixel_perfect:
        return unit.fields.processor_res
    scales = (size[0] / source.width, size[1] / source.height)
    chosen = min(scales) if unit.fields.resize_mode == RESIZE_MODES[2] else max(scales)
    return round(chosen * min(source.size))


def _sizes(task: GenerationTask, unit: Unit) -> tuple[tuple[int, int], ...]:
    base = (task.width, task.height)
    if task.hires is None:
        return (base,)
    return tuple(
        size
        for size, wanted in ((target_of(task.hires, *base, CELL).final, unit.high_res), (base, unit.low_res))
        if wanted
    )

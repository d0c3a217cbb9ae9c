"""The built-in script "SD upscale". Source: the A1111 contract notes, upscale section 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from webui_engine.errors import BadValue
from webui_engine.scripts import arguments, tiles
from webui_engine.tasks import GenerationResult, GenerationTask, Monitor, ResizeMode

TITLE = "SD upscale"
LARGEST_SIDE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class SdUpscale:
    """Enlarge by an upscaler, then img2img in tiles of the request's size that lie overlap pixels over each other."""

    overlap: int
    upscaler: str
    scale: float

    @classmethod
    def parse(cls, values: Sequence[Any], upscaler: Callable[[str | int | None], str]) -> SdUpscale:
        """From the four script arguments; upscaler finds a listed name. Raises BadValue, UnknownName."""
        _, overlap, name, scale = arguments.exactly(TITLE, values, 4)
        return cls(
            overlap=arguments.whole("overlap", overlap, 0, 1024),
            upscaler=upscaler(name),
            scale=arguments.number("scale_factor", scale, 1, 16),
        )

    def run(
        self,
        task: GenerationTask,
        paint: tiles.Paint,
        enlarge: tiles.Enlarge,
        announce: tiles.Announce,
        monitor: Monitor,
    ) -> tiles.Upscaled:
        """One combined picture for each of the task's n_iter; batch_size tiles are painted at a time."""
        if self.overlap >= min(task.width, task.height):
            raise BadValue(
                "overlap", self.overlap, f"it must be smaller than a tile, {task.width}x{task.height}"
            )
        canvas = self._canvas(task.init_images[0], enlarge)
        boxes = tiles.overlapping(canvas.size, (task.width, task.height), self.overlap)
        announce(task.n_iter * len(list(tiles.batches(boxes, task.batch_size))))
        results: list[GenerationResult] = []
        pictures = tuple(
            self._combined(replace(task, seed=task.seed + number), canvas, boxes, paint, monitor, results)
            for number in range(task.n_iter)
            if not monitor.interrupted or number == 0
        )
        return tiles.Upscaled(
            pictures=pictures,
            seeds=tuple(task.seed + number for number in range(len(pictures))),
            extra=(("SD upscale overlap", self.overlap), ("SD upscale upscaler", self.upscaler)),
            size=(task.width, task.height),
            first=results[0] if results else None,
            denoising_strength=task.denoising_strength,
        )

    def _canvas(self, picture: Image.Image, enlarge: tiles.Enlarge) -> Image.Image:
        if self.upscaler == "None":
            return picture
        width, height = (int(side * self.scale) // 8 * 8 for side in picture.size)
        if not 8 <= min(width, height) <= max(width, height) <= LARGEST_SIDE:
            raise BadValue(
                "scale_factor", self.scale, f"{width}x{height} is not within 8 to {LARGEST_SIDE} pixels"
            )
        return enlarge(picture, self.upscaler, width, height)

    def _combined(
        self,
        task: GenerationTask,
        canvas: Image.Image,
        boxes: Sequence[tiles.Box],
        paint: tiles.Paint,
        monitor: Monitor,
        results: list[GenerationResult],
    ) -> Image.Image:
        painted: list[Image.Image] = []
        for number, batch in enumerate(tiles.batches(boxes, task.batch_size)):
            crops = tuple(canvas.crop(box) for box in batch)
            if monitor.interrupted:
                painted.extend(crops)
                continue
            batch_task = replace(
                task,
                seed=task.seed + number,
                init_images=crops,
                batch_size=len(crops),
                n_iter=1,
                resize_mode=ResizeMode.STRETCH,
            )
            results.append(paint(batch_task, batch, canvas.size))
            made = [picture.image for picture in results[-1].pictures]
            painted.extend(made + list(crops[len(made) :]))
        return tiles.blended(canvas.size, boxes, painted)

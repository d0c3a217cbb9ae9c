"""Painting what was found again: one small inpainting per mask, on the result of the one before.

Source: the A1111 contract notes, adetailer sections 2 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from webui_engine.adetailer.detectors import Detectors
from webui_engine.adetailer.masks import masks
from webui_engine.adetailer.tabs import MAIN_PROMPT, SEPARATOR, SKIP, ADetailerArgs
from webui_engine.tasks import GenerationTask, Inpainting, MaskedContent, Monitor, ResizeMode, Sampled

Paint = Callable[[ADetailerArgs, GenerationTask], Image.Image | None]
"""Runs a tab's task and returns its picture, or None when it was interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A tab with every name in it resolved; None means the main pass's own."""

    tab: ADetailerArgs
    sampler: str | None = None
    scheduler: str | None = None
    checkpoint: str | None = None
    vae: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Repairs pictures with a request's tabs. order: ``ad_bbox_sortby``. same_seed: one seed for all finds of a tab."""

    inners: tuple[Inner, ...]
    detectors: Detectors
    paint: Paint
    monitor: Monitor
    order: str = "None"
    same_seed: bool = False

    def repaired(self, made: Sampled, task: GenerationTask) -> Sampled:
        """The picture after every tab; unchanged where nothing was found. task: the pass that made it."""
        picture = made.image
        for inner in self.inners:
            picture = self._through(inner, picture, made, task)
        return replace(made, image=picture)

    def _through(
        self, inner: Inner, picture: Image.Image, made: Sampled, task: GenerationTask
    ) -> Image.Image:
        tab = inner.tab
        found = self.detectors.find(tab.ad_model, picture, tab.ad_confidence)
        for index, mask in enumerate(masks(found, tab, self.order)):
            prompt = tab_prompt(tab.ad_prompt, made.prompt, index)
            if self.monitor.interrupted or prompt.strip() == SKIP:
                continue
            seed = made.seed if self.same_seed else made.seed + index
            negative = tab_prompt(tab.ad_negative_prompt, made.negative_prompt, index)
            texts = replace(task, prompt=prompt, negative_prompt=negative, seed=seed, subseed=made.subseed)
            picture = self.paint(tab, inner_task(inner, texts, picture, mask)) or picture
        return picture


def tab_prompt(text: str, main: str, index: int) -> str:
    """The prompt for find number index: ``[SEP]`` parts them, the last repeats, blank and ``[PROMPT]`` mean main."""
    parts = re.split(rf"\s*{re.escape(SEPARATOR)}\s*", text)
    part = parts[min(index, len(parts) - 1)].strip()
    return part.replace(MAIN_PROMPT, main) if part else main


def inner_task(inner: Inner, main: GenerationTask, picture: Image.Image, mask: Image.Image) -> GenerationTask:
    """The inpainting of one mask; whatever the tab leaves open is as in the main pass."""
    tab = inner.tab
    width, height = inner_size(tab, main, picture)
    return replace(
        main,
        sampler=inner.sampler or main.sampler,
        scheduler=inner.scheduler or main.scheduler,
        steps=tab.ad_steps if tab.ad_use_steps else main.steps,
        cfg_scale=tab.ad_cfg_scale if tab.ad_use_cfg_scale else main.cfg_scale,
        width=width,
        height=height,
        batch_size=1,
        n_iter=1,
        init_images=(picture,),
        denoising_strength=tab.ad_denoising_strength,
        resize_mode=ResizeMode.STRETCH,
        initial_noise_multiplier=tab.ad_noise_multiplier if tab.ad_use_noise_multiplier else None,
        inpainting=Inpainting(
            mask=mask,
            blur_x=tab.ad_mask_blur,
            blur_y=tab.ad_mask_blur,
            content=MaskedContent.ORIGINAL,
            only_masked=tab.ad_inpaint_only_masked,
            padding=tab.ad_inpaint_only_masked_padding,
        ),
        hires=None,
        refiner=None,
        control=(),
        clip=None,
        checkpoint=inner.checkpoint or main.checkpoint,
        vae=inner.vae or main.vae,
        clip_skip=tab.ad_clip_skip if tab.ad_use_clip_skip else main.clip_skip,
    )


def inner_size(tab: ADetailerArgs, main: GenerationTask, picture: Image.Image) -> tuple[int, int]:
    """Width and height of the inner pass: the tab's own, the request's, or the picture's when it is painted whole."""
    if tab.ad_use_inpaint_width_height:
        return max(8, tab.ad_inpaint_width // 8 * 8), max(8, tab.ad_inpaint_height // 8 * 8)
    if tab.ad_inpaint_only_masked:
        return main.width, main.height
    return max(8, picture.width // 8 * 8), max(8, picture.height // 8 * 8)

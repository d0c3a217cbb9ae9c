"""How a ControlNet unit steers the denoiser: fitting of its hint, its weights, its share of the steps, its mode."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import torch
from diffusers import ControlNetModel
from PIL import Image

from webui_engine.controlnet.models import ControlNets
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.pictures import fit
from webui_engine.diffusion.sampling import Added, Residuals
from webui_engine.errors import BadValue
from webui_engine.tasks import ControlUnit, ResizeMode

Box = tuple[int, int, int, int]
SOFT_WEIGHT = 0.825
"""Each block nearer to the entry counts this much less when the prompt or the ControlNet shall win (A1111's scheme)."""

BALANCED, PROMPT, CONTROL = "Balanced", "My prompt is more important", "ControlNet is more important"
CONTROL_MODES = (BALANCED, PROMPT, CONTROL)
RESIZE_MODES = MappingProxyType(
    {
        "Just Resize": ResizeMode.STRETCH,
        "Scale to Fit (Inner Fit)": ResizeMode.CROP,
        "Inner Fit (Scale to Fit)": ResizeMode.CROP,
        "Crop and Resize": ResizeMode.CROP,
        "Envelope (Outer Fit)": ResizeMode.FILL,
        "Outer Fit (Shrink to Fit)": ResizeMode.FILL,
        "Resize and Fill": ResizeMode.FILL,
    }
)
"""The extension's names and their aliases."""


def fit_hint(hint: Image.Image, resize_mode: str, width: int, height: int) -> Image.Image:
    """hint in RGB at width by height, as the network sees it; BadValue for an unknown resize mode."""
    if resize_mode not in RESIZE_MODES:
        raise BadValue("resize_mode", resize_mode, f"known are {', '.join(RESIZE_MODES)}")
    return fit(hint.convert("RGB"), RESIZE_MODES[resize_mode], width, height)


def build_controls(
    units: Sequence[ControlUnit],
    networks: ControlNets,
    model: Model,
    size: tuple[int, int],
    *,
    source_size: tuple[int, int] | None,
    box: Box | None,
    second_pass: bool,
) -> list[UnitControl]:
    """The units that take part in a pass at size (width, height) in pixels.

    source_size, box: the initial picture's size and what inpainting cut out of it; hints are cut alike.
    """
    taking_part = [unit for unit in units if unit.weight and (unit.high_res if second_pass else unit.low_res)]
    return [
        UnitControl(
            networks.load(unit.model, model),
            _hint_tensor(unit, model, size, source_size, box),
            unit,
            soft=second_pass,
        )
        for unit in taking_part
    ]


def _hint_tensor(
    unit: ControlUnit,
    model: Model,
    size: tuple[int, int],
    source_size: tuple[int, int] | None,
    box: Box | None,
) -> torch.Tensor:
    """(hints, 3, h, w) from 0 to 1."""
    hints = unit.hint if isinstance(unit.hint, tuple) else (unit.hint,)
    fitted = [fit_hint(_cut_alike(hint, source_size, box), unit.resize_mode, *size) for hint in hints]
    levels = (
        torch.from_numpy(np.stack([np.array(hint) for hint in fitted])).permute(0, 3, 1, 2).contiguous() / 255
    )
    return model.to_latent_device(levels)


def _cut_alike(hint: Image.Image, source_size: tuple[int, int] | None, box: Box | None) -> Image.Image:
    if box is None or source_size is None:
        return hint
    return (hint if hint.size == source_size else hint.resize(source_size, Image.Resampling.LANCZOS)).crop(
        box
    )


class UnitControl:
    """One unit in one sampling pass."""

    def __init__(
        self, network: ControlNetModel, hint: torch.Tensor, unit: ControlUnit, *, soft: bool
    ) -> None:
        if unit.control_mode not in CONTROL_MODES:
            raise BadValue("control_mode", unit.control_mode, f"known are {', '.join(CONTROL_MODES)}")
        self._network, self._hint, self._unit = network, hint, unit
        self._soft = soft or unit.control_mode != BALANCED

    def residuals(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        vectors: torch.Tensor,
        share: float,
        batch: int,
        added: Added | None = None,
    ) -> Residuals | None:
        """What to add to the denoiser's blocks; sampling.Control tells what the arguments are.

        When the ControlNet shall win, the unconditioned rows are left alone.
        """
        if not self._unit.guidance_start <= share <= self._unit.guidance_end:
            return None
        skipped = batch if self._unit.control_mode == CONTROL and len(sample) > batch else 0
        rows = len(sample) - skipped
        down, mid = self._network(
            sample[skipped:],
            timestep,
            encoder_hidden_states=vectors[skipped:],
            controlnet_cond=self._hint_rows(rows, batch),
            added_cond_kwargs=added and {key: value[skipped:] for key, value in added.items()},
            return_dict=False,
        )
        weighted = [
            part if factor == 1 else part * factor
            for part, factor in zip([*down, mid], self._factors(len(down) + 1), strict=True)
        ]
        padded = [_behind_zeros(part, skipped) for part in weighted]
        return padded[:-1], padded[-1]

    def _hint_rows(self, rows: int, batch: int) -> torch.Tensor:
        per_picture = self._hint if len(self._hint) == batch else self._hint[:1].expand(batch, -1, -1, -1)
        return torch.cat([per_picture] * (rows // batch))

    def _factors(self, count: int) -> list[float]:
        weight = self._unit.weight
        if not self._soft:
            return [weight] * count
        return [weight * SOFT_WEIGHT ** (count - 1 - index) for index in range(count)]


def _behind_zeros(part: torch.Tensor, skipped: int) -> torch.Tensor:
    return torch.cat([torch.zeros_like(part[:1]).expand(skipped, -1, -1, -1), part]) if skipped else part

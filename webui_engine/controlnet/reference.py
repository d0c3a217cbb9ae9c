"""Reference-only: a picture looks at another one in the denoiser's self-attention, without a model.

The scheme is that of the A1111 extension's "reference_only": the reference is noised as far as the picture, shown to
the denoiser first, and what each self-attention saw of it is appended to what it sees of the picture. A weight below 1
leaves out the layers with the fewest channels. Style fidelity is how much the unconditioned half of the guidance does
without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention

from webui_engine.controlnet.units import BALANCED, CONTROL
from webui_engine.diffusion import latents
from webui_engine.diffusion.model import Model
from webui_engine.diffusion.pictures import fit
from webui_engine.tasks import ReferenceUnit, ResizeMode

NO_FIDELITY, WHOLE_FIDELITY = 0.0, 1.0


class _Mode(Enum):
    PLAIN = "as without"
    WRITE = "remember what is seen"
    READ = "see what is remembered too"


class References:
    """The reference units of one pass; made by :func:`looking_at`."""

    def __init__(self, model: Model, attentions: Sequence[_SelfAttention]) -> None:
        self._model, self._attentions = model, tuple(attentions)
        self._units: tuple[tuple[ReferenceUnit, torch.Tensor, torch.Tensor], ...] = ()

    def begin(self, units: Sequence[ReferenceUnit], size: tuple[int, int], seed: int) -> None:
        """Take these units for a pass at size (width, height) in pixels; seed decides the noise on the references."""
        generator = torch.Generator().manual_seed(seed)
        shape = (1, *self._model.latent_shape(*size))
        self._units = tuple(
            (
                unit,
                latents.encode(self._model, [fit(unit.image, ResizeMode.CROP, *size)]),
                self._model.to_latent_device(torch.randn(shape, generator=generator)),
            )
            for unit in units
        )

    def look(
        self,
        scheduler: Any,
        timestep: torch.Tensor,
        vectors: torch.Tensor,
        added: dict[str, Any] | None,
        extra_channels: torch.Tensor | None,
        *,
        share: float,
        unconditioned: int,
    ) -> None:
        """Show the denoiser the units that take part at this share (0 to 1) of the steps, before it is asked.

        vectors, added: what the picture's last row is conditioned on. extra_channels: as sampling.Pass has them.
        unconditioned: how many of the rows that will be asked about are so.
        """
        active = [taken for taken in self._units if taken[0].guidance_start <= share <= taken[0].guidance_end]
        self._set(_Mode.WRITE)
        for unit, picture, noise in active:
            for attention in self._attentions:
                attention.attend_to(unit)
            noisy = scheduler.add_noise(picture, noise, timestep.reshape(1))
            inputs = scheduler.scale_model_input(noisy, timestep)
            if extra_channels is not None:
                inputs = torch.cat([inputs, extra_channels[:1]], dim=1)
            self._model.unet(
                inputs, timestep, encoder_hidden_states=vectors, added_cond_kwargs=added, return_dict=False
            )
        self._set(_Mode.READ if active else _Mode.PLAIN, unconditioned)

    def _set(self, mode: _Mode, unconditioned: int = 0) -> None:
        for attention in self._attentions:
            attention.turn(mode, unconditioned)


@contextmanager
def looking_at(model: Model, units: Sequence[ReferenceUnit]) -> Iterator[References | None]:
    """Have the denoiser's self-attentions ready for references for a while; None without units."""
    if not units:
        yield None
        return
    modules = _self_attentions(model)
    before = [module.processor for module in modules]
    attentions = [_SelfAttention(processor, place / len(modules)) for place, processor in enumerate(before)]
    for module, attention in zip(modules, attentions, strict=True):
        module.set_processor(attention)
    try:
        yield References(model, attentions)
    finally:
        for module, processor in zip(modules, before, strict=True):
            module.set_processor(processor)


def _self_attentions(model: Model) -> list[Attention]:
    """Those of the whole denoiser, the ones with the most channels first."""
    blocks = [module for module in model.unet.modules() if isinstance(module, BasicTransformerBlock)]
    return sorted((block.attn1 for block in blocks), key=lambda attention: -int(attention.query_dim))


class _SelfAttention:
    """One self-attention. rank: 0 to 1; it takes part in units of a greater weight."""

    def __init__(self, plain: Any, rank: float) -> None:
        self._plain, self._rank = plain, rank
        self._mode, self._unconditioned = _Mode.PLAIN, 0
        self._unit: ReferenceUnit | None = None
        self._seen: list[torch.Tensor] = []
        self._fidelity = NO_FIDELITY

    def turn(self, mode: _Mode, unconditioned: int) -> None:
        """Begin a mode; writing begins with nothing remembered."""
        self._mode, self._unconditioned = mode, unconditioned
        if mode is not _Mode.READ:
            self._seen = []

    def attend_to(self, unit: ReferenceUnit) -> None:
        """Say whose picture is shown next."""
        self._unit = unit

    def __call__(
        self, attention: Attention, hidden_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """What diffusers asks an attention processor for; hidden_states (rows, places, channels)."""
        unit = self._unit
        if self._mode is _Mode.WRITE and unit is not None and unit.weight > self._rank:
            self._seen.append(hidden_states)
            self._fidelity = fidelity(unit)
        if self._mode is not _Mode.READ or not self._seen:
            plain: torch.Tensor = self._plain(attention, hidden_states, *args, **kwargs)
            return plain
        remembered = [seen.expand(len(hidden_states), -1, -1) for seen in self._seen]
        context = torch.cat([hidden_states, *remembered], dim=1)
        looked: torch.Tensor = self._plain(attention, hidden_states, context)
        if not (self._unconditioned and self._fidelity):
            return looked
        rows = slice(0, self._unconditioned)
        alone = self._plain(attention, hidden_states[rows])
        mixed = self._fidelity * alone + (1 - self._fidelity) * looked[rows]
        return torch.cat([mixed, looked[self._unconditioned :]])


def fidelity(unit: ReferenceUnit) -> float:
    """The unit's style fidelity, which counts when neither prompt nor reference shall win."""
    if unit.control_mode == BALANCED:
        return unit.style_fidelity
    return WHOLE_FIDELITY if unit.control_mode == CONTROL else NO_FIDELITY

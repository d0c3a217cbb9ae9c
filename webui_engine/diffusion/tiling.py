"""Pictures whose edges meet: convolutions that wrap round, A1111's ``tiling``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from webui_engine.diffusion.model import Model


@contextmanager
def wrapping(model: Model, *, enabled: bool) -> Iterator[None]:
    """Within, the model's convolutions continue at the opposite edge if enabled."""
    layers = _convolutions(model) if enabled else []
    for layer in layers:
        layer.padding_mode = "circular"
    try:
        yield
    finally:
        for layer in layers:
            layer.padding_mode = "zeros"


def _convolutions(model: Model) -> list[nn.Conv2d]:
    networks = (model.unet, model.vae)
    return [
        layer
        for network in networks
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
        and layer.padding_mode == "zeros"
        and any(layer._reversed_padding_repeated_twice)
    ]

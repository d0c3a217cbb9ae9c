"""Makes training states out of the packaged model, so that a fresh machine can go on where another one stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diffusers import ControlNetModel
from diffusers.models.modeling_utils import ModelMixin

from .checkpoint import save_state
from .controlnets import AVERAGE_DECAY as CONTROLNET_DECAY
from .masters import MasterOptimizer
from .package import CONTROLNETS, load_pipeline
from .text import Readout
from .unet import AVERAGE_DECAY as UNET_DECAY


def unpack(models: Path, work: Path, log: Callable[[str], None]) -> None:
    """Write the states of every packaged network below models into work; states that are there already stay.

    What a package does not hold begins anew: the momenta of the optimizers, the counts of steps, and the heads that
    the text encoder was taught with. The rounding to half precision stays in the weights.
    """
    pipeline = load_pipeline(models)
    states = {
        "autoencoder": {"model": pipeline.vae.state_dict(), "step": 0, "balanced": True},
        "text": {"model": pipeline.text_encoder.state_dict(), "readout": Readout().state_dict(), "step": 0},
        "unet": {"optimizer": _optimizer(pipeline.unet, UNET_DECAY), "step": 0, "samples": 0},
    }
    for folder in sorted((models / CONTROLNETS).glob("sajin-tiny-*")):
        network = ControlNetModel.from_pretrained(folder, local_files_only=True)
        kind = folder.name.removeprefix("sajin-tiny-")
        states[f"controlnet-{kind}"] = {"optimizer": _optimizer(network, CONTROLNET_DECAY), "step": 0}
    for name, state in states.items():
        file = work / f"{name}.pt"
        if file.exists():
            log(f"{file.name} is there already")
            continue
        save_state(file, state)
        log(f"wrote {file.name}")


def _optimizer(network: ModelMixin, decay: float) -> dict[str, object]:
    return MasterOptimizer(network.float().requires_grad_(True), 0.0, decay).state()

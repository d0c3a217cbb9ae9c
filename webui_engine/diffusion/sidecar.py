"""What a single-file checkpoint, or a file beside it, says of itself that its tensors do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from webui_engine.diffusion.hashing import safetensors_metadata
from webui_engine.errors import CheckpointBroken

INSIDE = "sajin.networks"
"""The key of a safetensors file's metadata under which our trainer writes the same as stands in a ``.json``."""


def read_sidecar(checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Overrides for the configuration of each network.

    ``.json``: ``{"unet": {…}, "vae": {…}, "text_encoder": {…}, "scheduler": {…}}`` in diffusers' words. ``.yaml``:
    ldm's own configuration, of which the parametrization and the number of heads are read. Else the checkpoint's own
    metadata.
    """
    try:
        if checkpoint.with_suffix(".json").is_file():
            return _from_json(checkpoint.with_suffix(".json"))
        if checkpoint.with_suffix(".yaml").is_file():
            return _from_yaml(checkpoint.with_suffix(".yaml"))
        return _parts(json.loads(safetensors_metadata(checkpoint).get(INSIDE, "{}")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CheckpointBroken(checkpoint, f"its configuration cannot be read: {error}") from error


def _from_json(path: Path) -> dict[str, dict[str, Any]]:
    return _parts(json.loads(path.read_text(encoding="utf-8")))


def _parts(told: object) -> dict[str, dict[str, Any]]:
    if not isinstance(told, dict):
        return {}
    return {part: config for part, config in told.items() if isinstance(config, dict)}


def _from_yaml(path: Path) -> dict[str, dict[str, Any]]:
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    parameters = _inside(told, "model", "params")
    unet = _inside(parameters, "unet_config", "params")
    heads = {"attention_head_dim": unet["num_heads"]} if isinstance(unet.get("num_heads"), int) else {}
    kind = {"prediction_type": "v_prediction"} if parameters.get("parameterization") == "v" else {}
    return {"unet": heads, "scheduler": kind}


def _inside(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, dict) else {}

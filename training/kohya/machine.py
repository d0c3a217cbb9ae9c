"""What sd-scripts will find on this machine, and whether there is room for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from training.errors import TrainerObstacle, TrainerUnusable, TrainingFailed
from training.kohya.arguments import KohyaArguments
from training.kohya.checkpoint import Family, single_bytes
from training.kohya.installation import Installation

PROBE_SECONDS = 180.0
_PROBE = """
import importlib.util, json, torch
gpu = torch.cuda.is_available()
free, total = torch.cuda.mem_get_info() if gpu else (0, 0)
bf16 = gpu and torch.cuda.is_bf16_supported()
eight_bit = importlib.util.find_spec("bitsandbytes") is not None
print(json.dumps({"gpu": gpu, "gpu_free": free, "gpu_total": total, "bf16": bf16, "eight_bit": eight_bit}))
"""

GIGABYTE = 10**9
LEAST_GPU = {Family.SD15: 5 * GIGABYTE, Family.SDXL: 10 * GIGABYTE}
"""Free memory a LoRA of one picture a step needs with gradient checkpointing; practice, not measured here."""

LORA_BYTES = {Family.SD15: 1_200_000, Family.SDXL: 7_000_000}
"""A LoRA file for each unit of rank, in half precision: U-Net and text encoder of SD 1.5 (measured), U-Net of SDXL."""

STATE_IN_LORAS = 6
"""A state keeps weights and two moments in single precision, against a file in half."""

STATES_AT_ONCE = 3
MEMORY_IN_SINGLES = {Family.SD15: 1.4, Family.SDXL: 0.8}
"""Main memory, against the weights in single precision. An SD 1.5 without a card took 6.0 GB for 4.3; SDXL, which is
loaded in half precision, was not measured."""


class Machine(BaseModel):
    """What the Python of sd-scripts says. gpu_free, gpu_total: bytes of the first card. eight_bit: bitsandbytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpu: bool
    gpu_free: int
    gpu_total: int
    bf16: bool
    eight_bit: bool


def look_at(installation: Installation) -> Machine:
    """Ask the interpreter of sd-scripts, which takes a few seconds. Raises TrainerUnusable when it cannot tell."""
    command = [str(installation.python), "-c", _PROBE]
    try:
        answer = subprocess.run(
            command,
            cwd=installation.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=True,
        )
        return Machine.model_validate_json(answer.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise _unusable(installation.python, said[-1] if said else f"status {error.returncode}") from error
    except (OSError, subprocess.TimeoutExpired, IndexError, ValidationError) as error:
        raise _unusable(installation.python, str(error)) from error


def _unusable(python: Path, problem: str) -> TrainerUnusable:
    return TrainerUnusable(
        TrainerObstacle.PYTHON_MISSING,
        f"{python} cannot run sd-scripts: {problem}.",
        "Install what sd-scripts needs for it, or set SAJIN_KOHYA_PYTHON to the Python that has it.",
    )


def require_room(arguments: KohyaArguments, machine: Machine) -> None:
    """Raise TrainingFailed unless disk, memory and graphics card hold the training."""
    needed = disk_bytes(arguments)
    free = shutil.disk_usage(arguments.output_dir).free
    if free < needed:
        raise TrainingFailed(
            f"The training needs {_gigabytes(needed)} on the disk; {_gigabytes(free)} are free.",
            "Free some space and start the training again.",
        )
    memory = round(MEMORY_IN_SINGLES[arguments.family] * single_bytes(arguments.checkpoint))
    available = psutil.virtual_memory().available
    if available < memory:
        raise TrainingFailed(
            f"Reading the checkpoint needs {_gigabytes(memory)} of memory; {_gigabytes(available)} are free.",
            "Close other programs and start the training again.",
        )
    least = LEAST_GPU[arguments.family]
    if machine.gpu and machine.gpu_free < least:
        raise TrainingFailed(
            f"The graphics card has {_gigabytes(machine.gpu_free)} free of {_gigabytes(machine.gpu_total)}; "
            f"the training needs {_gigabytes(least)}.",
            "Close what else uses the card, such as a WebUI with a loaded checkpoint, and start the training again.",
        )


def disk_bytes(arguments: KohyaArguments) -> int:
    """What a training writes: each epoch's file twice, as written and as kept, and the states."""
    lora = LORA_BYTES[arguments.family] * arguments.network_dim
    return lora * (2 * arguments.max_train_epochs + STATES_AT_ONCE * STATE_IN_LORAS)


def _gigabytes(count: int) -> str:
    return f"{count / GIGABYTE:.1f} GB"

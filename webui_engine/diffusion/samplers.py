"""A1111's sampler and schedule names on diffusers' schedulers.

Only what diffusers computes itself is listed; the samplers it has not got (DPM++ 2S a, DPM fast, DPM adaptive, Restart,
DDIM CFG++) are refused as unknown. Three notes on the pairs: diffusers spends one network call a step for "DPM++ SDE"
where k-diffusion spends two; its noise is drawn from the picture's seed instead of a Brownian tree; "Uniform" of the
DPM++ family leaves out the last, noiseless time step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray

from webui_engine.errors import UnknownName

AUTOMATIC = "Automatic"
_SHARED_KEYS = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
)
_FULL_NOISE = {"timestep_spacing": "trailing"}
"""diffusers' even spacing puts a single step at the noiseless end; this one puts it where A1111 has it."""

_PLAIN_SPACING = {"timestep_spacing", "steps_offset"}
_BORROWS_SIGMAS = "EulerAncestralDiscreteScheduler"

Levels = Callable[[float, float, int], NDArray[np.float64]]
"""From the lowest and the highest noise level of a checkpoint and a number of steps to the level of each step, falling.

The noiseless level that ends a schedule is not among them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """One entry of ``GET samplers`` and the diffusers class behind it.

    default_schedule: what "Automatic" means for it. schedulable: whether it takes a schedule at all; A1111's time-step
    samplers (DDIM, PLMS, UniPC) and LCM have their own. settings: constructor arguments; options: A1111's listing.
    fixed: numbers of a request that A1111's sampler follows and diffusers' has built in at this value.
    """

    name: str
    scheduler_class: str
    aliases: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    default_schedule: str = "Uniform"
    schedulable: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One entry of ``GET schedulers``: how the noise levels are spaced, and the settings that ask diffusers for it.

    levels: for a spacing that diffusers has no setting of, handed to it in place of its exponential one.
    """

    name: str
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    levels: Levels | None = None
    aliases: tuple[str, ...] = ()
    default_rho: float = -1.0
    need_inner_model: bool = False


_MULTISTEP = "DPMSolverMultistepScheduler"
_SDE = {"algorithm_type": "sde-dpmsolver++"}
_FULL_NEW_NOISE = {"eta": 1.0, "s_noise": 1.0}
_NO_CHURN = {"s_churn": 0.0}

SAMPLERS = (
    Sampler(
        name="DPM++ 2M",
        scheduler_class=_MULTISTEP,
        aliases=("k_dpmpp_2m",),
        settings={"algorithm_type": "dpmsolver++", "solver_order": 2},
        default_schedule="Karras",
        options={"scheduler": "karras"},
    ),
    Sampler(
        name="DPM++ SDE",
        scheduler_class="DPMSolverSinglestepScheduler",
        aliases=("k_dpmpp_sde",),
        settings={**_SDE, "solver_order": 2, "final_sigmas_type": "zero", "lower_order_final": True},
        default_schedule="Karras",
        options={"scheduler": "karras", "second_order": "True", "brownian_noise": "True"},
        fixed=_FULL_NEW_NOISE,
    ),
    Sampler(
        name="DPM++ 2M SDE",
        scheduler_class=_MULTISTEP,
        aliases=("k_dpmpp_2m_sde",),
        settings={**_SDE, "solver_order": 2},
        default_schedule="Exponential",
        options={"scheduler": "exponential", "brownian_noise": "True"},
        fixed=_FULL_NEW_NOISE,
    ),
    Sampler(
        name="DPM++ 2M SDE Heun",
        scheduler_class=_MULTISTEP,
        aliases=("k_dpmpp_2m_sde_heun",),
        settings={**_SDE, "solver_order": 2, "solver_type": "heun"},
        default_schedule="Exponential",
        options={"scheduler": "exponential", "brownian_noise": "True", "solver_type": "heun"},
        fixed=_FULL_NEW_NOISE,
    ),
    Sampler(
        name="DPM++ 3M SDE",
        scheduler_class=_MULTISTEP,
        aliases=("k_dpmpp_3m_sde",),
        settings={**_SDE, "solver_order": 3},
        default_schedule="Exponential",
        options={"scheduler": "exponential", "discard_next_to_last_sigma": "True", "brownian_noise": "True"},
        fixed=_FULL_NEW_NOISE,
    ),
    Sampler(
        name="Euler a",
        scheduler_class=_BORROWS_SIGMAS,
        aliases=("k_euler_a", "k_euler_ancestral"),
        options={"uses_ensd": "True"},
        fixed={"eta": 1.0},
    ),
    Sampler(name="Euler", scheduler_class="EulerDiscreteScheduler", aliases=("k_euler",)),
    Sampler(name="LMS", scheduler_class="LMSDiscreteScheduler", aliases=("k_lms",)),
    Sampler(
        name="Heun",
        scheduler_class="HeunDiscreteScheduler",
        aliases=("k_heun",),
        options={"second_order": "True"},
        fixed=_NO_CHURN,
    ),
    Sampler(
        name="DPM2",
        scheduler_class="KDPM2DiscreteScheduler",
        aliases=("k_dpm_2",),
        default_schedule="Karras",
        options={"scheduler": "karras", "discard_next_to_last_sigma": "True", "second_order": "True"},
        fixed=_NO_CHURN,
    ),
    Sampler(
        name="DPM2 a",
        scheduler_class="KDPM2AncestralDiscreteScheduler",
        aliases=("k_dpm_2_a",),
        default_schedule="Karras",
        options={
            "scheduler": "karras",
            "discard_next_to_last_sigma": "True",
            "uses_ensd": "True",
            "second_order": "True",
        },
        fixed=_FULL_NEW_NOISE,
    ),
    Sampler(
        name="DDIM",
        scheduler_class="DDIMScheduler",
        aliases=("ddim",),
        settings={"clip_sample": False, "set_alpha_to_one": False},
        default_schedule="DDIM",
        schedulable=False,
    ),
    Sampler(
        name="PLMS",
        scheduler_class="PNDMScheduler",
        aliases=("plms",),
        settings={"skip_prk_steps": True, "set_alpha_to_one": False},
        default_schedule="DDIM",
        schedulable=False,
    ),
    Sampler(
        name="UniPC",
        scheduler_class="UniPCMultistepScheduler",
        aliases=("unipc",),
        default_schedule="Uniform",
        schedulable=False,
    ),
    Sampler(
        name="LCM",
        scheduler_class="LCMScheduler",
        aliases=("k_lcm",),
        settings={"clip_sample": False, "set_alpha_to_one": True},
        default_schedule="DDIM",
        schedulable=False,
    ),
)
"""In the order of A1111's listing."""


_EXPONENTIAL = {"use_exponential_sigmas": True}
_ALIGNED = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
"""The noise levels for Stable Diffusion 1.5 that Sabour, Fidler and Kreis published (Align Your Steps, 2024)."""


def _aligned(_lowest: float, _highest: float, steps: int) -> NDArray[np.float64]:
    """The published levels, interpolated between their logarithms for another number of steps."""
    places = np.linspace(0, len(_ALIGNED) - 1, steps)
    return np.exp(np.interp(places, np.arange(len(_ALIGNED)), np.log(_ALIGNED)))


def _kl_optimal(lowest: float, highest: float, steps: int) -> NDArray[np.float64]:
    """Levels whose arc tangents are evenly spaced (Sabour, Fidler and Kreis 2024, theorem 3.1)."""
    share = np.arange(steps) / steps
    angles: NDArray[np.float64] = share * np.arctan(lowest) + (1 - share) * np.arctan(highest)
    return np.tan(angles)


SCHEDULES = (
    Schedule(name="automatic", label=AUTOMATIC),
    Schedule(
        name="uniform", label="Uniform", settings={"timestep_spacing": "linspace"}, need_inner_model=True
    ),
    Schedule(name="karras", label="Karras", settings={"use_karras_sigmas": True}, default_rho=7.0),
    Schedule(name="exponential", label="Exponential", settings=_EXPONENTIAL),
    Schedule(name="polyexponential", label="Polyexponential", settings=_EXPONENTIAL, default_rho=1.0),
    Schedule(
        name="sgm_uniform",
        label="SGM Uniform",
        settings={"timestep_spacing": "trailing"},
        aliases=("SGMUniform",),
        need_inner_model=True,
    ),
    Schedule(name="kl_optimal", label="KL Optimal", settings=_EXPONENTIAL, levels=_kl_optimal),
    Schedule(name="align_your_steps", label="Align Your Steps", settings=_EXPONENTIAL, levels=_aligned),
    Schedule(name="simple", label="Simple", settings={"timestep_spacing": "trailing"}, need_inner_model=True),
    Schedule(name="normal", label="Normal", settings={"timestep_spacing": "linspace"}, need_inner_model=True),
    Schedule(
        name="ddim",
        label="DDIM",
        settings={"timestep_spacing": "leading", "steps_offset": 1},
        need_inner_model=True,
    ),
    Schedule(name="beta", label="Beta", settings={"use_beta_sigmas": True}, need_inner_model=True),
)


def find_sampler(name: str) -> Sampler:
    """The sampler of this exact name, or UnknownName."""
    for sampler in SAMPLERS:
        if sampler.name == name:
            return sampler
    raise UnknownName("sampler", name, [sampler.name for sampler in SAMPLERS])


def find_schedule(name: str) -> Schedule:
    """The schedule with this label, name or alias, or UnknownName."""
    for schedule in SCHEDULES:
        if name in (schedule.label, schedule.name, *schedule.aliases):
            return schedule
    raise UnknownName("scheduler", name, [schedule.label for schedule in SCHEDULES])


def told_schedule(sampler: str, schedule: str) -> str | None:
    """The label that A1111 writes for what ran: "Automatic" under its real name, None where that is the plain one.

    sampler, schedule: a listed name and label. Source: the A1111 contract notes, webui-core section 3.
    """
    if schedule != AUTOMATIC:
        return schedule
    used = find_sampler(sampler)
    return used.default_schedule if used.schedulable and used.default_schedule != "Uniform" else None


def build_scheduler(
    sampler: Sampler, schedule: Schedule, steps: int, checkpoint: Mapping[str, Any], device: torch.device
) -> Any:
    """A fresh diffusers scheduler with its time steps set.

    checkpoint: the checkpoint's own scheduler configuration, of which the betas and what the network predicts are kept.
    """
    kept = {key: checkpoint[key] for key in _SHARED_KEYS if key in checkpoint}
    used = _used(sampler, schedule)
    spacing = {**used.settings, **(_FULL_NOISE if steps == 1 else {})}
    scheduler = _construct(sampler.scheduler_class, {**kept, **sampler.settings, **spacing}, used.levels)
    scheduler.set_timesteps(steps, device=device)
    if sampler.scheduler_class == _BORROWS_SIGMAS and not spacing.keys() <= _PLAIN_SPACING:
        source = _construct("EulerDiscreteScheduler", {**kept, **spacing}, used.levels)
        source.set_timesteps(steps, device=device)
        _lend_sigmas(source, scheduler)
    return scheduler


def _used(sampler: Sampler, schedule: Schedule) -> Schedule:
    if not sampler.schedulable or schedule.label == AUTOMATIC:
        return find_schedule(sampler.default_schedule)
    return schedule


def _construct(class_name: str, wanted: Mapping[str, Any], levels: Levels | None) -> Any:
    scheduler_class = getattr(diffusers, class_name)
    known = inspect.signature(scheduler_class.__init__).parameters
    scheduler = scheduler_class(**{key: value for key, value in wanted.items() if key in known})
    if levels is not None:
        _space_by(scheduler, levels)
    return scheduler


def _space_by(scheduler: Any, levels: Levels) -> None:
    """Put levels where a scheduler of diffusers computes its exponential spacing."""

    def spaced(in_sigmas: Any, num_inference_steps: int) -> NDArray[np.float64]:
        return levels(float(min(in_sigmas)), float(max(in_sigmas)), num_inference_steps)

    scheduler._convert_to_exponential = spaced


def _lend_sigmas(source: Any, scheduler: Any) -> None:
    """Give diffusers' "Euler a", which only spaces evenly, the noise levels that its "Euler" computed."""
    scheduler.sigmas, scheduler.timesteps = source.sigmas, source.timesteps

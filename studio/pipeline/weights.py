"""How much work the parts of a job are, relative to each other: for honest progress and remaining time."""

from __future__ import annotations

from dataclasses import dataclass

from studio.planning.plan import AnyPlannedStage, Plan, PlannedStage

DETAILER_SHARE = 0.5
LEAST_SHARE_FOR_ETA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a whole job is. eta_seconds: None while too little is done to tell."""

    fraction: float
    eta_seconds: float | None


def stage_weight(stage: AnyPlannedStage) -> float:
    """Sampling steps times pixels; a detected face counts as half a picture more, sampled at its own strength.

    Describing a picture, swapping a face and enlarging without sampling count as one step. Stages of an animation are
    weighed by one frame, since all work on as many.
    """
    pixels = stage.width * stage.height
    if isinstance(stage, PlannedStage) and stage.crop is not None:
        pixels = stage.crop**2
    if not isinstance(stage, PlannedStage):
        return float(pixels)
    strength = 1.0 if stage.denoising_strength is None else stage.denoising_strength
    faces = sum(DETAILER_SHARE * tab.denoising_strength for tab in stage.adetailer)
    return pixels * stage.steps * (strength + faces)


def job_progress(plan: Plan, number: int, stage: str, fraction: float, elapsed_seconds: float) -> Progress:
    """The job's progress when picture number is at fraction (0 to 1) of stage; elapsed: since the job started."""
    weights = {made.name: stage_weight(made) for made in plan.pictures[0].stages}
    picture = sum(weights.values())
    before = sum(weights[name] for name in list(weights)[: list(weights).index(stage)])
    done = (number * picture + before + fraction * weights[stage]) / (picture * len(plan.pictures))
    if done < LEAST_SHARE_FOR_ETA:
        return Progress(fraction=done, eta_seconds=None)
    return Progress(fraction=done, eta_seconds=elapsed_seconds * (1 - done) / done)

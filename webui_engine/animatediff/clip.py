"""A clip while it is sampled: the denoiser with its motion module, the prompts that travel, the picture that fades."""

from __future__ import annotations

from dataclasses import replace

import torch
from diffusers import UNetMotionModel

from webui_engine.animatediff.windows import Window, windows
from webui_engine.diffusion.conditioning import Conditioning, Guidance
from webui_engine.tasks import Clip, Fading, Loop

_ALMOST_ALIKE = 0.9995


class MovingClip:
    """What the sampling loop asks in place of the plain denoiser; see sampling.Moving."""

    def __init__(self, network: UNetMotionModel, clip: Clip, frames: int) -> None:
        self._network, self._clip, self._frames = network, clip, frames

    def windows(self, step: int) -> tuple[Window, ...]:
        """The frames that are asked for together at a step."""
        return windows(self._clip, self._frames, step)

    def predict(
        self,
        inputs: torch.Tensor,
        timestep: torch.Tensor,
        vectors: torch.Tensor,
        residuals: tuple[list[torch.Tensor] | None, torch.Tensor | None],
        frames: int,
    ) -> torch.Tensor:
        """The answer to inputs (rows * frames, channels, h, w) and vectors (rows * frames, tokens, width)."""
        down, mid = residuals
        answer: torch.Tensor = self._network(
            inputs.unflatten(0, (-1, frames)).transpose(1, 2),
            timestep,
            encoder_hidden_states=vectors,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            return_dict=False,
        )[0]
        return answer.transpose(1, 2).flatten(0, 1)


def travelled(keys: Conditioning, clip: Clip, frames: int) -> Conditioning:
    """From the guidance of the prompts that clip.travel names to that of every frame."""
    wraps = frames > clip.context and clip.loop in (Loop.MORE, Loop.ALL)
    at = [frame for frame, _ in clip.travel]
    places = [between(frame, at, frames, wraps=wraps) for frame in range(frames)]
    return Conditioning(tuple((last, _at_places(guidance, places)) for last, guidance in keys.changes))


def between(frame: int, keys: list[int], frames: int, *, wraps: bool) -> tuple[int, int, float]:
    """Which two of the keys a frame lies between, by their places in the list, and its share of the way.

    Before the first and after the last key that key holds, unless the way wraps and leads from the last to the first.
    """
    following = next((place for place, key in enumerate(keys) if key > frame), len(keys))
    first, second = following - 1, following
    if not wraps:
        first, second = max(first, 0), min(second, len(keys) - 1)
    first, second = first % len(keys), second % len(keys)
    length = (keys[second] - keys[first]) % frames
    return first, second, ((frame - keys[first]) % frames) / length if length else 0.0


def _at_places(guidance: Guidance, places: list[tuple[int, int, float]]) -> Guidance:
    vectors = guidance.vectors
    rows = [
        torch.stack([_on_the_way(part[first], part[second], share) for first, second, share in places])
        for part in vectors
    ]
    return replace(guidance, vectors=torch.stack(rows))


def _on_the_way(low: torch.Tensor, high: torch.Tensor, share: float) -> torch.Tensor:
    """Spherical interpolation (Shoemake 1985) of two prompts as a whole; of nearly parallel ones a linear one."""
    if share == 0:
        return low
    one, other = low.float(), high.float()
    cosine = (one * other).sum() / (one.norm() * other.norm())
    if bool(cosine.abs() > _ALMOST_ALIKE):
        return (one * (1 - share) + other * share).to(low.dtype)
    angle = cosine.acos()
    mixed: torch.Tensor = ((1 - share) * angle).sin() * one + (share * angle).sin() * other
    result: torch.Tensor = (mixed / angle.sin()).to(low.dtype)
    return result


def faded(clip: Clip, picture: torch.Tensor, last: torch.Tensor | None, noise: torch.Tensor) -> torch.Tensor:
    """What a clip begins from when pictures are given: each gives way to noise with the distance of its frame.

    picture, last: latents (1, channels, h, w). noise: (frames, channels, h, w), as what comes back.
    """
    frames = len(noise)
    kept = _kept(clip.fading, frames).to(noise)
    if last is None:
        return picture * kept + noise * (1 - kept)
    kept_last = _kept(clip.last_fading, frames).to(noise).flip(0)
    together = (kept + kept_last).clamp(min=1)
    kept, kept_last = kept / together, kept_last / together
    kept[0], kept[-1], kept_last[0], kept_last[-1] = 1, 0, 0, 1
    return picture * kept + last * kept_last + noise * (1 - kept - kept_last)


def _kept(fading: Fading, frames: int) -> torch.Tensor:
    """(frames, 1, 1, 1)."""
    distance = torch.arange(frames, dtype=torch.float32) ** fading.power
    return (1 - distance / fading.scale).clamp(min=0)[:, None, None, None]

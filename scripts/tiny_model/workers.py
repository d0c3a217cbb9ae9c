"""Several single-threaded processes that train one network: each steps by itself, now and then they meet and average.

On a shared processor that is steadier than one process with many threads, which all wait for the slowest at every
operation (local SGD: Stich 2019). Meetings are a matter of time and not of steps, so that nobody waits long.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

Job = Callable[[int], None]
MEETING_SECONDS = 8.0


def run_workers(count: int, job: Job) -> None:
    """Run job(rank) in count processes and wait; with one worker it runs in this process.

    job must be picklable. An error in one worker ends the others and is raised here.
    """
    if count == 1:
        job(0)
        return
    with tempfile.TemporaryDirectory() as folder:
        spawn(_worker, (count, str(Path(folder) / "meeting"), job), nprocs=count)


@torch.no_grad()
def average_over_workers(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over all workers; nothing to do for a single one."""
    if not distributed.is_initialized():
        return
    flat = torch.cat([tensor.flatten().float() for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


class Meetings:
    """When the workers meet, and when they stop: every MEETING_SECONDS, until seconds have passed.

    With a single worker a meeting is only a look at the clock.
    """

    def __init__(self, seconds: float) -> None:
        self._start = self._last = time.monotonic()
        self._seconds = seconds
        self._over = seconds <= 0

    @property
    def progress(self) -> float:
        """Share of the time that has passed, 0..1."""
        return min(1.0, self.passed / self._seconds)

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def go_on(self, weights: Sequence[Tensor]) -> bool:
        """Whether to take another step; at a meeting weights become their mean over all workers."""
        now = time.monotonic()
        if now - self._last > MEETING_SECONDS or now - self._start > self._seconds:
            self._last = now
            average_over_workers(weights)
            self._over = _agreed(now - self._start > self._seconds)
        return not self._over


def _agreed(value: bool) -> bool:
    if not distributed.is_initialized():
        return value
    answer = torch.tensor([value])
    distributed.broadcast(answer, 0)
    return bool(answer.item())


def _worker(rank: int, count: int, meeting: str, job: Job) -> None:
    os.setsid()  # Linux deals out processor time by session: each worker is to get a share of its own
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)
    job(rank)
    distributed.destroy_process_group()

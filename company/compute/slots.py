"""The slots of this machine: shares of its CUDA GPUs, else its CPU cores, one experiment at a time on each."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import Path
from typing import Literal

from company.compute.backend import ComputeError, Slot
from company.compute.gpus import Gpu, GpuSurvey, survey, torch_cuda


class NoDevice(ComputeError):
    """The device that was asked for is not here."""


def find_slots(
    count: int | None = None, per_gpu: int = 1, device: Literal["auto", "cpu", "cuda"] = "auto"
) -> tuple[Slot, ...]:
    """The slots to use: every GPU that torch can use, `per_gpu` times, else every CPU core that we may use.

    `count` is taken as asked: more than there are GPUs means several on each, more than cores means that they share.
    Raises NoDevice when CUDA is asked for and cannot be had, ComputeError when a number is not positive.
    """
    if per_gpu < 1 or (count is not None and count < 1):
        raise ComputeError("the number of slots must be at least 1")
    found = usable_gpus() if device != "cpu" else GpuSurvey()
    if found.gpus:
        return gpu_slots(found.gpus, count, per_gpu)
    if device == "cuda":
        raise NoDevice(f"no GPU can be used: {found.reason}; run 'loopworks doctor', or ask for CPU slots")
    return cpu_slots(count or cpu_count())


def usable_gpus() -> GpuSurvey:
    """GPUs that are there and that the installed torch can use."""
    found = survey()
    if found.gpus and torch_cuda() is None:
        return GpuSurvey(reason=f"{found.gpus[0].name} is there but the installed torch is built without CUDA")
    return found


def gpu_slots(gpus: tuple[Gpu, ...], count: int | None, per_gpu: int) -> tuple[Slot, ...]:
    """`count` slots spread evenly over the GPUs, each with an equal share of its GPU's memory."""
    count = len(gpus) * per_gpu if count is None else count
    per_gpu = max(per_gpu, math.ceil(count / len(gpus)))
    return tuple(
        Slot(index, "cuda", gpu.id, 1 / per_gpu, gpu.name or f"gpu {index}", gpu.nodes)
        for index, gpu in zip(range(count), itertools.cycle(gpus), strict=False)
    )


def cpu_slots(count: int) -> tuple[Slot, ...]:
    return tuple(Slot(index, "cpu", name=f"cpu {index}") for index in range(count))


def cpu_count(root: Path = Path("/")) -> int:
    """CPU cores that this process may use: those it is bound to, within its control group's quota; at least 1."""
    return max(1, min(len(os.sched_getaffinity(0)), *(int(quota) for quota in quotas(root)), 1 << 16))


def quotas(root: Path) -> list[float]:
    """CPU quotas of our control groups and those above them, in cores (cgroup 2, then 1)."""
    found: list[float] = []
    for group in groups(root / "proc/self/cgroup", root / "sys/fs/cgroup"):
        limit, period = (
            read_words(group / "cpu.max")
            or read_words(group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us")
            or ("max", "1")
        )
        if limit.isdigit() and int(period) > 0:
            found.append(max(1.0, int(limit) / int(period)))
    return found


def groups(listing: Path, mounts: Path) -> list[Path]:
    """The folders of our control groups that may hold a CPU quota, innermost first."""
    folders: list[Path] = []
    try:
        lines = listing.read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            base = mounts / controllers if controllers else mounts
            inner = base / path.lstrip("/")
            folders += [inner, *(parent for parent in inner.parents if parent.is_relative_to(base))]
    return folders


def read_words(*paths: Path) -> tuple[str, str] | None:
    try:
        words = " ".join(path.read_text() for path in paths).split()
    except OSError:
        return None
    return (words[0], words[1]) if len(words) == 2 else None

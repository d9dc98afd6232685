"""Standing beside one running process until its end: time, disk, memory and log are held to the project's limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from company.compute.endings import Facts, Why, disk_full, oom_kills
from company.compute.environment import CUDA_HOST_MB
from company.compute.folder import used_bytes
from company.compute.log import Log
from company.compute.tree import MOST_PROCESSES, held, resident
from company.compute.workers import Running
from projects.spec import Limits

TICK = 0.03  # seconds between two looks at the metrics
HOLD_TICKS = 8  # a whole folder and all processes are dearer to look at

OnTick = Callable[[], Why | None]  # a reason to end the run, if it has one


async def watch(running: Running, folder: Path, log: Log, limits: Limits, on_tick: OnTick = lambda: None) -> Facts:
    """Wait for the end of a process and its group, ending it at a limit. Cancelling it ends the group first."""
    deadline = running.at + limits.seconds
    kills, tick, stopped = oom_kills(), 0, None
    loop = asyncio.get_running_loop()
    try:
        while not running.ended.done():
            await asyncio.wait({running.ended}, timeout=TICK)
            tick += 1
            late = over_time(limits) if loop.time() > deadline else None
            large = over_hold(running, folder, limits) if tick % HOLD_TICKS == 0 else None
            stopped = stopped or on_tick() or late or large
            log.trim()
            if stopped and not running.ended.done():
                await running.end()
    finally:
        ended = await running.end()
    no_space = disk_full(folder)  # before the log is cut, which may make room
    log.trim(slack=1)
    reason = stopped if ended.killed else None
    return Facts(ended, log.ending(), reason, oom_kills=oom_kills() - kills, disk_full=no_space)


def over_time(limits: Limits) -> Why:
    return Why("failed", "timeout", f"not done after {limits.seconds:g} s, the project's limit")


def over_hold(running: Running, folder: Path, limits: Limits) -> Why | None:
    """What is too much of what a run holds: it may do as much harm as fits between two looks."""
    memory_mb = limits.memory_mb + (CUDA_HOST_MB if running.device == "cuda" else 0)
    warm = resident(running.workers.pid or 0)  # what every fork of the warm parent begins with
    found = held(running.pid, running.keeper, running.workers.pid, (memory_mb << 20) + warm)
    if found.processes > MOST_PROCESSES:
        return Why("failed", "crash", f"started more than {MOST_PROCESSES} processes")
    if found.memory > (memory_mb << 20) + warm:
        return Why("failed", "out_of_memory", f"its processes held more than {memory_mb} MB, the project's limit")
    if used_bytes(folder) + found.unnamed > limits.disk_mb << 20:
        return Why("failed", "crash", f"wrote more than {limits.disk_mb} MB, the project's limit")
    return None

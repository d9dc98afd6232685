"""How a process ended, in the words of the company: a pure function from facts to a kind of failure."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from company.compute.environment import NO_SANDBOX, SANDBOX_FAILED
from company.compute.workers import Ended

OUT_OF_MEMORY = (
    "memoryerror",
    "outofmemoryerror",
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "std::bad_alloc",
)
NO_SPACE = ("no space left on device", "disk quota exceeded")
LEAST_BYTES = 64 * 1024
OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)  # nobody in the company sends these unasked


@dataclass(frozen=True, slots=True)
class Why:
    """Why a process did not do its work. `lost` means that it is not to blame."""

    status: Literal["failed", "lost"]
    failure: str
    detail: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of a process. `stopped` is why we killed it, if we did; `oom_kills` what the kernel killed."""

    ended: Ended
    log: str = ""
    stopped: Why | None = None
    nonfinite: int | None = None
    oom_kills: int = 0
    disk_full: bool = False


def why(facts: Facts) -> Why | None:
    """None when the process did its work.

    Errors: none; every combination of facts has an answer. A process can fake only failures of its own.
    """
    code = facts.ended.code
    if code is None:
        return lost("the worker process died")
    if facts.nonfinite is not None:
        return Why("failed", "diverged", f"the loss was not a number at step {facts.nonfinite}")
    if facts.stopped is not None:
        return facts.stopped
    if code == 0:
        return None
    if code in OUTSIDE:
        return killed_outside(code, facts.oom_kills)
    last = facts.log.strip().splitlines()[-1:]
    if code == NO_SANDBOX and last and last[0].startswith(SANDBOX_FAILED):
        return lost(last[0])
    return lost("the disk is full") if facts.disk_full else said(code, facts.log)


def killed_outside(code: int, oom_kills: int) -> Why:
    if code == -signal.SIGKILL and oom_kills > 0:
        return killed_for_memory()
    return lost(f"ended from outside by {signal.Signals(-code).name}")


def killed_for_memory() -> Why:
    return Why("failed", "out_of_memory", "the kernel ended it for want of memory")


def said(code: int, log: str) -> Why:
    """A failure that only the log explains."""
    lower, last = log.lower(), log.strip().splitlines()[-1:]
    if any(text in lower for text in NO_SPACE):
        return lost("the disk is full")
    if any(text in lower for text in OUT_OF_MEMORY):
        return Why("failed", "out_of_memory", log)
    if last and last[0].startswith("diverged"):
        return Why("failed", "diverged", last[0])
    return Why("failed", "crash", log or f"ended with {exit_name(code)} and said nothing")


def exit_name(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def lost(detail: str) -> Why:
    return Why("lost", "infrastructure", detail)


def disk_full(folder: Path) -> bool:
    """Whether nothing more can be written there; a run that meets a full disk cannot even say so in its log."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return False
    return facts.f_bavail * facts.f_frsize < LEAST_BYTES or (facts.f_files > 0 and facts.f_favail == 0)


def oom_kills(vmstat: Path = Path("/proc/vmstat")) -> int:
    """Processes that the kernel has ended for want of memory since the machine started; 0 where it does not say."""
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

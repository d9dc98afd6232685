"""A level of the sandbox around one forked child: the parent makes a cell and forks, the child enters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import NoReturn

from company.compute.environment import ROOT
from company.compute.sandbox import bubblewrap, cuda, kernel, landlock, seccomp
from company.compute.sandbox.levels import Level
from company.compute.sandbox.policy import (
    PROCESSOR,
    SYSTEM,
    SYSTEM_FILES,
    Confined,
    Policy,
    covered,
    python_paths,
)

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
PROC_FACTS = ("cpuinfo", "meminfo", "stat", "filesystems", "version", "self", "thread-self", "sys/vm", "sys/kernel")


class Cell:
    """A sandbox for one forked child. The parent makes it and forks; the child enters. Raises OSError where it cannot.

    Where entering fails nothing of the code that it is for may run.
    """

    def __init__(self, confined: Confined, once_inside: Callable[[], None] | None = None) -> None:
        self.confined = confined
        self._once_inside = once_inside
        warm(confined.level)
        self.holder = bubblewrap.Holder(confined.policy, here()) if namespaced(confined.level) else None

    def fork(self, become: Callable[[], NoReturn]) -> int:
        """The process id of a child, which calls `become`, and there `enter`."""
        if self.holder:
            return self.holder.fork(become)
        child = os.fork()
        if child == 0:
            become()
        return child

    @property
    def needed(self) -> tuple[int, ...]:
        """Descriptors that the child must not close before it has entered."""
        return (self.holder.handle,) if self.holder else ()

    def abandon(self) -> None:
        """End everything inside, and forget it."""
        if self.holder:
            self.holder.kill()
            self.holder.forget()

    def enter(self, cwd: str) -> None:
        """Confine this process, the child, for good, and go to `cwd`."""
        level, policy = self.confined.level, self.confined.policy
        if self.holder:
            self.holder.enter()
            kernel.drop_privileges()
            _inside(level, policy)
        elif level == "degraded":
            _degraded(policy)
        os.chdir(cwd)
        if self._once_inside:
            self._once_inside()


def namespaced(level: Level) -> bool:
    """Whether a level has namespaces of its own."""
    return level in ("strict", "standard")


@cache
def here() -> tuple[str, ...]:
    """Where this Python lies."""
    return python_paths(sys.path, ROOT)


@cache
def warm(level: Level) -> None:
    """Find out and do, once before all forks, what entering a level needs. Raises OSError where it cannot be had."""
    if level != "none":
        kernel.machine()
        here()
    if namespaced(level):
        bubblewrap.can_forbid_nesting()
        bubblewrap.program("cat")
        bubblewrap.become_able()


def _inside(level: Level, policy: Policy) -> None:
    if level == "standard":
        seccomp.apply(seccomp.Filter(), os.getpid())
        return
    read = (*SYSTEM, *SYSTEM_FILES, PROCESSOR, cuda.SYS, "/proc", "/dev", *here(), *policy.read)
    write = ("/tmp", "/dev/shm", *DEVICES, *cuda.nodes(policy), *policy.write)
    landlock.apply(read, write, (cuda.THREADS,) if policy.gpu else ())
    seccomp.apply(seccomp.Filter(sockets="unix", memfd=policy.gpu), os.getpid())


def _degraded(policy: Policy) -> None:
    shown = (*SYSTEM, *here())
    for path in policy.hide:
        if covered(path, shown):
            raise OSError(0, f"{path} lies where experiments may read: put the run directory elsewhere (--out)")
    kernel.drop_privileges()
    facts = [f"/proc/{name}" for name in PROC_FACTS]
    read = (*shown, *SYSTEM_FILES, PROCESSOR, *facts, *((cuda.SYS, *cuda.FACTS) if policy.gpu else ()), *policy.read)
    write = (*DEVICES, *cuda.nodes(policy), *policy.write)
    abi = landlock.apply(read, write, (cuda.THREADS,) if policy.gpu else ())
    signals = "all" if abi >= landlock.LEAST_FOR_SCOPES else "self"
    sockets = "listening" if policy.gpu else "none"
    seccomp.apply(seccomp.Filter(sockets, signals, memfd=policy.gpu), os.getpid())

"""Forking a warm process into bubblewrap's namespaces.

A cold `bwrap python` would import torch again. Instead bwrap sets the namespaces up around a `cat` that waits, the warm
process forks a child into its process namespace, and the child enters the others. `cat` is the init in there: when it
ends, the kernel ends everything inside. It ends with bwrap, and bwrap with the process that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import threading
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

from company.compute.sandbox import cuda, kernel
from company.compute.sandbox.policy import PROCESSOR, SHM_MB, SYSTEM, SYSTEM_FILES, TMP_MB, Policy, covered

UNSHARE = ("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts")
NEITHER_PID_NOR_USER = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
MEGABYTE = 1 << 20
PATIENCE_S = 10.0  # for bwrap to be ready: it takes milliseconds
PROCESSES = 512  # of one run, threads included; the kernel does not hold root to it
COUNTED_BY_NAMESPACE = (5, 14)  # older kernels count all processes of the user


class Holder:
    """A running bwrap that keeps namespaces alive; it ends with this process. Raises OSError with its own words."""

    def __init__(self, policy: Policy, python: tuple[str, ...]) -> None:
        self._names_threads = policy.gpu
        info, told = os.pipe()
        heard, asked = os.pipe()
        answer, answered = os.pipe()
        errors = os.memfd_create("errors")
        process = subprocess.Popen(
            command(policy, python, told, can_forbid_nesting()), stdin=heard, stdout=answered, stderr=errors,
            pass_fds=(told,), env={},
        )  # fmt: skip
        for descriptor in (told, heard, answered):
            os.close(descriptor)
        self.pid = process.pid  # of bwrap itself: a child of this process
        self._asked = asked  # `cat` ends when this is closed everywhere
        try:
            self.handle = os.pidfd_open(_ready(asked, answer, info))
        except (OSError, ValueError) as error:
            process.kill()
            process.wait()
            os.close(asked)
            os.lseek(errors, 0, os.SEEK_SET)
            words = os.read(errors, 4096).decode(errors="replace").strip().splitlines() or [str(error)]
            raise OSError(0, f"bubblewrap cannot start: {words[-1].removeprefix('bwrap: ')}") from error
        finally:
            for descriptor in (info, answer, errors):
                os.close(descriptor)
        process.returncode = 0  # whoever reaps this process's children reaps it, too

    def fork(self, become: Callable[[], NoReturn]) -> int:
        """Fork a child into the process namespace, and not yet into the others; it calls `become`. Raises OSError.

        A thread of its own forks, since whoever enters a process namespace for its children cannot come back.
        """
        forked: list[int] = []
        failed: list[OSError] = []

        def fork() -> None:
            try:
                kernel.setns(self.handle, kernel.CLONE_NEWPID)
                with warnings.catch_warnings():  # of Python 3.12: the other thread only waits for this one
                    warnings.simplefilter("ignore", DeprecationWarning)
                    forked.append(os.fork())
            except OSError as error:
                failed.append(error)
                return
            if forked == [0]:
                become()

        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return forked[0]

    def enter(self) -> None:
        """Enter the other namespaces, in the child, of whose descriptors only `handle` need be open. Raises OSError."""
        kernel.setns(self.handle, NEITHER_PID_NOR_USER)
        if self._names_threads:  # while there is still power over the mounts
            kernel.bind_writable(cuda.THREADS)
        kernel.setns(self.handle, kernel.CLONE_NEWUSER)
        os.close(self.handle)
        if kernel.release() >= COUNTED_BY_NAMESPACE:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))

    def kill(self) -> None:
        """End everything inside, at once."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def gone(self) -> bool:
        """Whether everything inside has ended: the kernel lets the init end last."""
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return bool(poll.poll(0))

    def forget(self) -> None:
        """Close what leads to it."""
        os.close(self.handle)
        os.close(self._asked)


def command(policy: Policy, python: tuple[str, ...], info: int, nested: bool) -> list[str]:
    """The command line: `python` are the interpreter's folders; facts of the namespaces go to descriptor `info`.

    `nested`: whether this bwrap can forbid user namespaces inside (0.8 and newer; seccomp forbids them in any case).
    """
    words = [program("bwrap"), *UNSHARE, *(["--disable-userns"] if nested else []), "--die-with-parent", "--as-pid-1"]
    words += ["--cap-drop", "ALL", "--hostname", "experiment", "--info-fd", str(info)]
    for path in SYSTEM:
        words += _system(path)
    words += _each("--ro-bind-try", (*SYSTEM_FILES, PROCESSOR))
    words += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]  # root owns the settings in /proc/sys
    words += _each("--ro-bind-try", [cuda.SYS] if policy.gpu else [])
    words += ["--perms", "1777", "--size", str(SHM_MB * MEGABYTE), "--tmpfs", "/dev/shm"]
    words += ["--perms", "1777", "--size", str(TMP_MB * MEGABYTE), "--tmpfs", "/tmp"]
    words += _each("--ro-bind", python)  # after /tmp, where a checkout and its environment may lie
    for path in policy.hide:
        words += ["--tmpfs", path, "--remount-ro", path] if covered(path, (*SYSTEM, *python)) else []
    words += _each("--ro-bind", policy.read) + _each("--bind", policy.write)
    words += [*_each("--dev-bind", cuda.nodes(policy)), "--remount-ro", "/dev"]
    return [*words, "--remount-ro", "/", "--chdir", "/", "--", program("cat")]


def become_able() -> None:
    """Gain the power to fork into process namespaces: a user namespace of our own, unless we are root.

    Only a process with one thread can. What it starts from then on sees other users' files as nobody's. Raises OSError.
    """
    if kernel.may_administer():
        return
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _ready(asked: int, answer: int, info: int) -> int:
    """The init's process id, once everything is mounted: `cat` answers only then. Raises OSError, ValueError."""
    with contextlib.suppress(BrokenPipeError):  # it has ended: its last words are read below
        os.write(asked, b"?")
    if not select.select([answer], [], [], PATIENCE_S)[0]:
        raise OSError(0, f"it was not ready within {PATIENCE_S:g} s")
    if not os.read(answer, 1):
        raise OSError(0, "it ended without a word")
    return int(json.loads(os.read(info, 4096))["child-pid"])  # written in pieces, all of them before `cat` starts


@cache
def program(name: str) -> str:
    """The path of a program. Raises FileNotFoundError."""
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(0, f"{name} is not installed")
    return found


@cache
def can_forbid_nesting() -> bool:
    """Whether this bwrap knows --disable-userns. Raises OSError where there is no bwrap."""
    done = subprocess.run([program("bwrap"), "--help"], capture_output=True, text=True, timeout=2, check=False)
    return "--disable-userns" in done.stdout + done.stderr


def _system(path: str) -> list[str]:
    """A folder of the system as it is here: a link into /usr, or a folder of its own."""
    if Path(path).is_symlink():
        return ["--symlink", str(Path(path).readlink()), path]
    return ["--ro-bind-try", path, path]


def _each(option: str, paths: tuple[str, ...] | list[str]) -> list[str]:
    return [word for path in paths for word in (option, path, path)]

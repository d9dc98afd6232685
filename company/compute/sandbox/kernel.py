"""The few calls of the Linux kernel that Python does not offer: each raises OSError where the kernel refuses."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import signal
from ctypes import c_int, c_long, c_uint32, c_ulong
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAPABILITY_VERSION_3 = 0x20080522
CAP_SYS_ADMIN = 21
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 2, 4, 8, 32, 4096
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}

_libc = ctypes.CDLL(None, use_errno=True)


class Unsupported(OSError):
    """This kernel or processor lacks what is asked for; the message says what."""


def machine() -> str:
    """The processor's architecture; raises Unsupported for one whose system calls are not in our tables."""
    found = platform.machine()
    if found not in SYS_CAPSET:
        raise Unsupported(0, f"the sandbox knows no system calls of {found}")
    return found


def release() -> tuple[int, int]:
    """The kernel's version, such as (6, 1)."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)


def prctl(option: int, *values: int) -> None:
    """prctl(2)."""
    _checked(_libc.prctl(c_int(option), *(c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4])), "prctl")


def syscall(number: int, *values: object) -> int:
    """Any system call by its number; arguments are ctypes values, integers or None."""
    passed = [c_long(value) if isinstance(value, int) else value for value in values]
    return _checked(_libc.syscall(c_long(number), *passed), f"system call {number}")


def setns(descriptor: int, kinds: int) -> None:
    """Enter namespaces, given by a file of /proc/PID/ns or by a pidfd (then all of them or none; Linux 5.8)."""
    _checked(_libc.setns(c_int(descriptor), c_int(kinds)), "setns")


def unshare(kinds: int) -> None:
    """Leave namespaces for new ones."""
    _checked(_libc.unshare(c_int(kinds)), "unshare")


def bind_writable(path: str) -> None:
    """Mount a folder over itself, this time to be written, in this process's mount namespace."""
    place = path.encode()
    for flags in (MS_BIND, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC):
        _checked(_libc.mount(place, place, None, c_ulong(flags), None), f"mounting {path}")


def may_administer() -> bool:
    """Whether this process has CAP_SYS_ADMIN in its user namespace."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)


def die_with_parent(parent: int) -> None:
    """Be killed when the thread that forked this process ends; at once if `parent` is gone already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(70)


def drop_privileges() -> None:
    """Give every capability up for good, for this process and whatever it starts."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last one, or not ours to drop: then it cannot be gained either
            break
    with contextlib.suppress(OSError):
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    prctl(PR_SET_DUMPABLE, 1)  # or it could not look at itself in /proc
    header = (c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    syscall(SYS_CAPSET[machine()], ctypes.byref(header), ctypes.byref((c_uint32 * 6)()))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result

"""Landlock: files that a process and all it starts may still reach, whatever its user may (Linux 5.13 and newer).

Covered by its version (ABI): 1 files by path; 3 truncation; 4 TCP; 6 signals to processes outside, abstract sockets.
At every version a process inside cannot trace, nor read the memory or the environment of, one outside.
Not covered: a file's facts (stat) and directories' names on the way to an allowed place stay visible; sockets by path.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from company.compute.sandbox.kernel import syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
ASK_VERSION, RULE_PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
NET_ALL = 3  # bind and connect of TCP
SCOPE_ALL = 3  # abstract unix sockets, signals
LEAST_FOR_SCOPES = 6
FILL = WRITE_FILE | READ_FILE | READ_DIR | TRUNCATE


def version() -> int:
    """The kernel's Landlock ABI, 0 where it has none or it is switched off."""
    try:
        return syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    except OSError:
        return 0


def file_rights(abi: int) -> int:
    """Every right on files that this ABI can take away."""
    return (1 << (13 if abi < 2 else 14 if abi < 3 else 15 if abi < 5 else 16)) - 1


def apply(read: Iterable[str], write: Iterable[str], fill: Iterable[str] = ()) -> int:
    """Leave this process only `read` (files and folders to read and run) and `write` (everything beneath them).

    In `fill` files may be written, and none made or removed; such a folder stays open, since those of /proc have their
    rights only for as long as the kernel remembers them. Paths that do not exist are left out. Returns the ABI used.
    Raises OSError; needs no_new_privs.
    """
    abi = version()
    if abi == 0:
        raise OSError(0, "this kernel has no Landlock")
    every = file_rights(abi)
    handled = struct.pack("=QQQ", every, NET_ALL if abi >= 4 else 0, SCOPE_ALL if abi >= LEAST_FOR_SCOPES else 0)
    size = 8 if abi < 4 else 16 if abi < LEAST_FOR_SCOPES else 24
    ruleset = syscall(CREATE_RULESET, ctypes.create_string_buffer(handled, 24), size, 0)
    try:
        for paths, rights in ((read, READ), (write, every & ~IOCTL_DEV)):
            for path in paths:
                _allow(ruleset, path, rights & every)
        for path in fill:
            os.open(path, os.O_PATH | os.O_CLOEXEC)
            _allow(ruleset, path, FILL & every)
        syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= ON_FILES
            if Path(path).is_char_device():
                rights |= IOCTL_DEV & file_rights(version())
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place), 12)
        syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(place)

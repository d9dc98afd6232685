"""Seccomp: which system calls code of an experiment may not make, as a filter program of the kernel's BPF machine.

A deny-list: training needs too many calls, in too many versions of the C library, for an allow-list to hold.
Covered: what reaches other processes' memory, mounts, namespaces, keys and kernel objects; by level sockets, signals
and files in memory; calls of the 32-bit interfaces end the process. Not covered: a hole in a call that training needs.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from dataclasses import dataclass
from typing import Literal

from company.compute.sandbox.kernel import CLONE_NEWUSER, machine, syscall

ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER = 1
X32_BIT = 0x40000000  # calls of the x32 interface have the numbers of others with this bit
AF_UNIX, SOCK_SEQPACKET, KIND_OF_SOCKET = 1, 5, 0xF  # the last leaves a type without its flags
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # typing into a terminal, as if a person did

# Number on x86_64 and on aarch64, None where there is no such call. From 424 on they are the same everywhere.
DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "open_by_handle_at": (304, 265),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "sethostname": (170, 161),
    "setdomainname": (171, 162), "quotactl": (179, 60), "syslog": (103, 116), "iopl": (172, None),
    "ioperm": (173, None), "personality": (135, 92), "vhangup": (153, 58), "fanotify_init": (300, 262),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "mount_setattr": (442, 442), "quotactl_fd": (443, 443), "memfd_secret": (447, 447), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}  # fmt: skip
MEMFD_CREATE = (319, 279)
SOCKET, CONNECT, CLONE, CLONE3, IOCTL = (41, 198), (42, 203), (56, 220), (435, 435), (16, 29)
SIGNALS = ((62, 129), (200, 130), (234, 131))  # kill, tkill, tgkill: the first argument is whom
SIGNALS_BY_HANDLE = ((129, 138), (297, 240), (424, 424))  # rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal

LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
AT_CALL, AT_ARCH, AT_ARGUMENTS = 0, 4, 16

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


@dataclass(frozen=True, slots=True)
class Filter:
    """What is denied beside DENIED. `sockets` that may be made; `signals` to whom; `memfd`: files in memory.

    "listening": unix sockets of the one kind on which nothing is sent before a connection, and none may connect; the
    CUDA driver does not start without one.
    """

    sockets: Literal["all", "unix", "listening", "none"] = "all"
    signals: Literal["all", "self"] = "all"
    memfd: bool = True


def program(asked: Filter, arch: str, pid: int) -> list[Instruction]:
    """The filter as instructions; `pid` is whom signals may reach where they may only reach the process itself."""
    column = 0 if arch == "x86_64" else 1
    code: list[Instruction] = [
        (LOAD, 0, 0, AT_ARCH),
        (EQUAL, 1, 0, ARCH[arch]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, AT_CALL),
    ]
    if arch == "x86_64":
        code += [(AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL)]
    denied = [*DENIED.values(), *(() if asked.memfd else (MEMFD_CREATE,))]
    if asked.signals == "self":
        denied += SIGNALS_BY_HANDLE
    for numbers in denied:
        code += _refuse(numbers[column], errno.EPERM)
    code += _refuse(CLONE3[column], errno.ENOSYS)  # its flags cannot be seen; the C library then uses clone
    code += _if_call(CLONE[column], [(ANY_BIT, 0, 1, CLONE_NEWUSER), (RETURN, 0, 0, FAIL | errno.EPERM)])
    code += _if_call(IOCTL[column], _unless_not((TIOCSTI, TIOCLINUX)), argument=1)
    if asked.sockets == "none":
        code += _refuse(SOCKET[column], errno.EACCES)
    elif asked.sockets == "unix":
        code += _if_call(SOCKET[column], _unless((AF_UNIX,), errno.EACCES))
    elif asked.sockets == "listening":
        code += _refuse(CONNECT[column], errno.EACCES)
        kind = [(LOAD, 0, 0, AT_ARGUMENTS + 8), (AND, 0, 0, KIND_OF_SOCKET), *_unless((SOCK_SEQPACKET,), errno.EACCES)]
        code += _if_call(SOCKET[column], [*_unless((AF_UNIX,), errno.EACCES), *kind])
    if asked.signals == "self":
        for numbers in SIGNALS:
            code += _if_call(numbers[column], _unless((pid, 0), errno.EPERM))
    return [*code, (RETURN, 0, 0, ALLOW)]


def apply(asked: Filter, pid: int) -> None:
    """Filter this process and all it starts, for good. Raises OSError; needs no_new_privs or a capability."""
    arch = machine()
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in program(asked, arch, pid))
    text = ctypes.create_string_buffer(packed, len(packed))
    # struct sock_fprog: a length of 16 bits, padding, a pointer
    about = struct.pack("@HP", len(packed) // 8, ctypes.addressof(text))
    syscall(SYS_SECCOMP[arch], SET_MODE_FILTER, 0, ctypes.create_string_buffer(about, len(about)))


def _refuse(number: int | None, error: int) -> list[Instruction]:
    return [] if number is None else [(EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL | error)]


def _if_call(number: int | None, body: list[Instruction], argument: int = 0) -> list[Instruction]:
    """`body` on the low half of an argument if this is the call, with the call's number loaded again after it."""
    if number is None:
        return []
    around: list[Instruction] = [(LOAD, 0, 0, AT_ARGUMENTS + 8 * argument), *body, (LOAD, 0, 0, AT_CALL)]
    return [(EQUAL, 0, len(around), number), *around]


def _unless(values: tuple[int, ...], error: int) -> list[Instruction]:
    """Fail with `error` unless the loaded value is one of `values`."""
    checks: list[Instruction] = [(EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*checks, (RETURN, 0, 0, FAIL | error)]


def _unless_not(values: tuple[int, ...]) -> list[Instruction]:
    """Fail if the loaded value is one of `values`."""
    return [line for value in values for line in _refuse(value, errno.EPERM)]

"""What a sandboxed process may see and write: plain paths. Everything that is not named is not there."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from company.compute.sandbox.levels import Level

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
PROCESSOR = "/sys/devices/system/cpu"  # numerical libraries look there
LIBRARIES = ("LD_LIBRARY_PATH", "CUDA_HOME")  # variables that name folders of shared libraries
TMP_MB, SHM_MB = 64, 256  # sizes of /tmp and /dev/shm: memory that belongs to no process
INSTALLED = ("site-packages", "dist-packages")
# Of a folder that is a Python's and holds other things, too, such as a home:
PARTS = ("bin", "lib", "lib64", "include", "share", "pyvenv.cfg")


@dataclass(frozen=True, slots=True)
class Policy:
    """What one process needs beside Python itself. Paths are absolute; what is in `hide` is there for nobody.

    With `gpu` CUDA works inside, on the cards whose device files are in `cards`.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    gpu: bool = False
    cards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Confined:
    """A level of the sandbox and what may be seen there."""

    level: Level
    policy: Policy = Policy()


def restored(asked: Mapping[str, Any] | None) -> Confined:
    """What came as JSON; no sandbox where there was none."""
    if asked is None:
        return Confined("none")
    policy = asked["policy"]
    paths = {name: tuple(policy[name]) for name in ("read", "write", "hide", "cards")}
    return Confined(asked["level"], Policy(**paths, gpu=policy["gpu"]))


def python_paths(path: Sequence[str], root: Path) -> tuple[str, ...]:
    """Where this Python, its packages and its libraries lie. `path` is sys.path; of `root`, our checkout, nothing."""
    found = [sys.base_prefix, sys.prefix, str(Path(sys.executable).resolve().parent.parent)]
    found += [each for each in site.getsitepackages() if each in path]
    kept = [Path.home(), *(() if root.name in INSTALLED else (root,))]
    found += [each for each in path if each and Path(each) not in kept]
    found += [each for name in LIBRARIES for each in os.environ.get(name, "").split(":") if Path(each).is_absolute()]
    return outermost([part for each in found for part in narrowed(Path(each), kept)])


def narrowed(folder: Path, kept: Sequence[Path]) -> list[str]:
    """A folder under both of its names; only its Python parts where it also holds one of those that are kept back."""
    both = {str(folder), str(folder.resolve())}
    if not any(place.is_relative_to(name) for name in both for place in kept):
        return sorted(both)
    return sorted(f"{name}/{part}" for name in both for part in PARTS)


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Those that exist and lie in no other one, nor in what the system shows anyway."""
    found: list[str] = []
    for path in sorted({each for each in paths if Path(each).exists()}, key=len):
        if not any(Path(path).is_relative_to(outer) for outer in (*SYSTEM, *found)):
            found.append(path)
    return tuple(found)


def covered(path: str, shown: Iterable[str]) -> bool:
    """Whether something that is shown would show this path too, under any name."""
    return any(Path(path).resolve().is_relative_to(Path(outer).resolve()) for outer in shown)

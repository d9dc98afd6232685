"""Which levels this machine can really give: each is entered by a process, and what it must stop is tried there.

Run as a program it prints {"level": "" or why it cannot be had} as JSON.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

from company.compute.backend import ComputeError
from company.compute.environment import ROOT, clean_env
from company.compute.sandbox.confine import Cell
from company.compute.sandbox.levels import LEVELS, Level, Wanted
from company.compute.sandbox.policy import Confined, Policy

PROGRAM = "import sys; sys.path.append(sys.argv[1]); from company.compute.sandbox.probe import main; main()"
PATIENCE_S = 20.0
INSTALL = "install bubblewrap 0.7 or newer (apt install bubblewrap, dnf install bubblewrap)"
NAMESPACES = (
    "allow user namespaces: on Ubuntu 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0', on other systems"
    " 'sudo sysctl user.max_user_namespaces=15000', in Docker '--security-opt seccomp=unconfined --security-opt"
    " systempaths=unconfined'"
)
LANDLOCK = "use Linux 5.13 or newer with Landlock (the boot option lsm=landlock,...), or install bubblewrap"


class SandboxError(ComputeError):
    """The level that was asked for cannot be had; one line with what to type."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found: for each level the reason why it cannot be had, empty where it can."""

    reasons: Mapping[Level, str]

    def best(self) -> Level:
        return next(level for level in LEVELS if not self.reasons[level])

    def has(self, level: Level) -> bool:
        return not self.reasons[level]


@cache
def probe() -> Probed:
    """`try_levels`, once."""
    return try_levels()


def try_levels() -> Probed:
    """Try every level in processes of their own (about 0.2 s). Never raises: what cannot be tried cannot be had."""
    if sys.platform != "linux":
        return Probed({level: "" if level == "none" else "it needs Linux" for level in LEVELS})
    words = [sys.executable, "-P", "-s", "-c", PROGRAM, str(ROOT)]
    try:
        done = subprocess.run(
            words, env=clean_env(HOME=str(Path.home())), capture_output=True, timeout=PATIENCE_S,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        return Probed({**json.loads(done.stdout), "none": ""})
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Probed({level: "" if level == "none" else f"the probe failed: {error}" for level in LEVELS})


def choose(wanted: Wanted) -> Level:
    """The level to use: the best there is for "auto", else the one asked for. Raises SandboxError."""
    if wanted == "none":
        return "none"
    found = probe()
    if wanted == "auto":
        return found.best()
    if not found.has(wanted):
        raise SandboxError(f"--sandbox {wanted}: {found.reasons[wanted]}: {advice(wanted, found.reasons[wanted])}")
    return wanted


def advice(level: Level, reason: str) -> str:
    """What to type so that a level can be had."""
    if level == "degraded":
        return LANDLOCK
    if "not installed" in reason or "nknown option" in reason:
        return INSTALL
    return LANDLOCK if "Landlock" in reason else NAMESPACES


def main() -> None:
    """Try the levels and print what was found."""
    standard = tried("standard")
    print(json.dumps({"strict": standard or tried("strict"), "standard": standard, "degraded": tried("degraded")}))


def tried(level: Level) -> str:
    """Enter a level in a child and look around there; empty where it holds, else what is wrong."""
    with tempfile.TemporaryDirectory(prefix="loopworks-") as name:
        allowed, secret = Path(name, "allowed"), Path(name, "secret")
        allowed.mkdir()
        secret.write_text("secret")
        try:
            cell = Cell(Confined(level, Policy(write=(str(allowed),))))
            reading, writing = os.pipe()
            child = cell.fork(partial(_look, cell, allowed, secret, writing))
        except OSError as error:
            return error.strerror or str(error)
        except subprocess.SubprocessError as error:
            return str(error)
        os.close(writing)
        with os.fdopen(reading) as answers:
            said = answers.read().strip()
        os.waitpid(child, 0)
    return said.removeprefix("holds") if said.startswith("holds") else said or "it ended without a word"


def _look(cell: Cell, allowed: Path, secret: Path, writing: int) -> NoReturn:
    said = "it ended early"
    try:
        os.setsid()
        cell.enter(str(allowed))
        said = leaks(allowed, secret) or "holds"
    except OSError as error:
        said = error.strerror or str(error)
    finally:
        os.write(writing, " ".join(said.split())[:300].encode())
        os._exit(0)


def leaks(allowed: Path, secret: Path) -> str:
    """What works that must not, or fails that must work; empty when all is well."""
    try:
        (allowed / "note").write_text("x")
    except OSError as error:
        return f"its own folder cannot be written: {error.strerror}"
    try:
        secret.read_text()
        return "a file outside can be read"
    except OSError:
        pass
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=0.05).close()
        return "the network can be reached"
    except TimeoutError:
        return "the network can be reached"
    except OSError:
        return ""

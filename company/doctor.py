"""What this machine offers and what to do about what is missing: facts only, nothing heavy is imported.

Every check answers on its own; none raises. `loopworks doctor` prints them.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from company.compute.backend import ComputeError, Slot
from company.compute.cuda_proof import Proof, prove
from company.compute.gpus import survey, torch_cuda
from company.compute.sandbox.levels import ABOUT, LEVELS, Level
from company.compute.sandbox.probe import advice, probe
from company.compute.slots import cpu_count, find_slots, gpu_slots, usable_gpus
from company.compute.workers import PRELOAD, Workers
from roles.brains.llm.settings import PROVIDERS

LEAST_PYTHON = (3, 11)
LEAST_SQLITE = (3, 35)  # RETURNING, and WAL without its old faults
LEAST_DISK_GB, LEAST_MEMORY_GB = 1.0, 1.0
REQUIRED = ("autogen-agentchat", "networkx", "numpy", "safetensors", "scikit-learn", "sqlmodel", "torch")
PURPOSES = {
    "bench": "to measure Loopworks beside other libraries", "dev": "to change Loopworks and test it",
    "llm": "to ask language models", "ray": "for a cluster", "web": "for the dashboard in a browser",
}  # fmt: skip
SANDBOXED = "CUDA in sandbox"
WHY = "needed only to run code that a language model wrote (docs/trust.md)"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `broken` stops a company from working; `missing` costs something that `advice` names."""

    name: str
    state: Literal["ok", "missing", "broken"]
    found: str
    advice: str = ""


def examine(folder: Path) -> list[Check]:
    """Every check, in the order in which a person reads them; `folder` is where run directories would go."""
    checks: tuple[Callable[[], Check], ...] = (
        system, python, packages, torch_build, gpus, slots, memory, lambda: disk(folder), sqlite, git,
        model_keys,
    )  # fmt: skip
    return [*(check() for check in checks), *sandboxes(), *cuda_inside(), *extras()]


def healthy(checks: list[Check]) -> bool:
    """Whether nothing that is required is broken."""
    return all(check.state != "broken" for check in checks)


def python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < LEAST_PYTHON:
        return Check("Python", "broken", version, "install Python 3.11 or newer and make the environment with it")
    return Check("Python", "ok", f"{version} in {sys.prefix}")


def system() -> Check:
    if sys.platform != "linux":
        return Check("System", "broken", sys.platform, "use Linux: on Windows WSL 2, elsewhere a container")
    return Check("System", "ok", f"Linux {platform.release()}")


def installed(name: str) -> str | None:
    """The version of an installed distribution, without importing it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def packages() -> Check:
    gone = [name for name in REQUIRED if installed(name) is None]
    if gone:
        return Check("Packages", "broken", "not installed: " + ", ".join(gone), "run: pip install " + " ".join(gone))
    return Check("Packages", "ok", ", ".join(f"{name} {installed(name)}" for name in REQUIRED if name != "torch"))


def torch_build() -> Check:
    version, cuda = installed("torch"), torch_cuda()
    if version is None:
        return Check("torch", "broken", "not installed", "run: pip install torch")
    return Check("torch", "ok", f"{version}, built for {f'CUDA {cuda}' if cuda else 'CPUs only'}")


def gpus() -> Check:
    found = survey()
    if not found.gpus:
        advice = "not needed: experiments run on CPU cores; if there is a GPU in this machine: docs/gpu.md"
        return Check("GPUs", "missing", f"none: {found.reason}", advice)
    names = ", ".join(f"{gpu.name} {gpu.memory_mb / 1024:.0f} GB ({gpu.id})" for gpu in found.gpus)
    if torch_cuda() is None:
        return Check("GPUs", "missing", f"{names}, but torch has no CUDA", "install a CUDA build of torch: docs/gpu.md")
    return Check("GPUs", "ok", f"{names}, found by NVML")


def slots() -> Check:
    try:
        found = find_slots()
    except ComputeError as error:
        return Check("Slots", "broken", str(error))
    cores = f"{cpu_count()} of {os.cpu_count()} CPU cores may be used"
    return Check("Slots", "ok", f"{len(found)} on {found[0].device}, an experiment at a time on each; {cores}")


def memory() -> Check:
    text = read(Path("/proc/meminfo"))
    facts = {key: int(value) / (1 << 20) for key, value in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
    free, total = facts.get("MemAvailable"), facts.get("MemTotal")
    if free is None or total is None:
        return Check("Memory", "missing", "the system does not say")
    found = f"{free:.1f} of {total:.1f} GB free"
    if free < LEAST_MEMORY_GB:
        return Check("Memory", "missing", found, "close other programs: an experiment needs about 0.5 GB")
    return Check("Memory", "ok", found)


def disk(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Check("Disk", "broken", f"{folder}: {error.strerror}", "go to a folder that exists")
    if not os.access(folder, os.W_OK):
        return Check("Disk", "missing", f"{folder} cannot be written", "go to another folder, or give --out")
    if free < LEAST_DISK_GB:
        return Check("Disk", "missing", f"{free:.1f} GB free in {folder}", "make space: a full disk pauses a run")
    return Check("Disk", "ok", f"{free:.0f} GB free in {folder}")


def sqlite() -> Check:
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        return Check("SQLite", "broken", sqlite3.sqlite_version, "use a Python whose SQLite is 3.35 or newer")
    return Check("SQLite", "ok", sqlite3.sqlite_version)


def git() -> Check:
    """Only for the code that agents change, as history beside the ledger."""
    found = shutil.which("git")
    if found is None:
        return Check("git", "missing", "not installed", "install git to check out code that agents changed")
    return Check("git", "ok", found)


def sandboxes() -> list[Check]:
    """The level that experiments run at, and why each better one cannot be had. Levels are entered, not looked for."""
    found = probe()
    best = found.best()
    checks = [
        Check(f"Sandbox {level}", "missing", found.reasons[level], f"{advice(level, found.reasons[level])}; {WHY}")
        for level in LEVELS
        if not found.has(level)
    ]
    if best == "none":
        return [Check("Sandbox", "missing", f"{best}: {ABOUT[best]}", WHY), *checks]
    return [Check("Sandbox", "ok", f"{best}: {ABOUT[best]}"), *checks]


def cuda_inside() -> list[Check]:
    """At which levels CUDA works, by a tensor in a process made as an experiment's; else that it was not proved."""
    if not usable_gpus().gpus:
        unproved = "not proved: there is no GPU that torch can use"
        return [Check(SANDBOXED, "missing", unproved, "whether CUDA works in the sandbox is tried once there is a GPU")]
    levels: list[Level] = [level for level in LEVELS if probe().has(level)]
    try:
        proofs = asyncio.run(cuda_proofs(gpu_slots(usable_gpus().gpus, None, 1), levels))
    except ComputeError as error:
        return [Check(SANDBOXED, "broken", str(error), "use --device cpu until this is put right")]
    return [cuda_at(proof) for proof in proofs]


async def cuda_proofs(slots: Sequence[Slot], levels: Sequence[Level]) -> list[Proof]:
    """Every card at every level, one after the other."""
    workers = Workers(PRELOAD)
    try:
        return [await prove(workers, slot, level) for level in levels for slot in slots]
    finally:
        await workers.close()


def cuda_at(proof: Proof) -> Check:
    name = f"CUDA {proof.level}"
    if proof.trouble:
        return Check(name, "missing", f"{proof.card}: {proof.trouble}", "take a level at which it works: --sandbox")
    return Check(name, "ok", f"proved by a tensor on {proof.card}")


def model_keys() -> Check:
    """Which providers' keys are at hand, by their names alone."""
    names = [provider.key_env for provider in PROVIDERS.values() if provider.key_env]
    found = [name for name in names if os.environ.get(name)]
    if found:
        return Check("Model keys", "ok", f"in the environment: {', '.join(found)}")
    advice = f"needed only to ask a provider's language models: export {names[0]}=...; docs/models.md"
    return Check("Model keys", "missing", f"none of {', '.join(names)} in the environment", advice)


def extras() -> list[Check]:
    """One check for each optional part that the installed distribution declares."""
    try:
        facts = importlib.metadata.metadata("loopworks")
    except importlib.metadata.PackageNotFoundError:
        advice = "run: pip install -e . -c constraints.txt"
        return [Check("Loopworks", "missing", "runs from its folder, not installed", advice)]
    requirements = importlib.metadata.requires("loopworks") or []
    return [extra(name, requirements) for name in facts.get_all("Provides-Extra") or []]


def extra(name: str, requirements: list[str]) -> Check:
    marked = [each for each in requirements if re.search(rf"extra == ['\"]{re.escape(name)}['\"]", each)]
    parts = [re.split(r"[ \[<>=!~;(]", each, maxsplit=1)[0] for each in marked]
    gone = [part for part in parts if installed(part) is None]
    if gone:
        purpose = f"needed only {PURPOSES[name]}; " if name in PURPOSES else ""
        return Check(
            f"[{name}]",
            "missing",
            "not installed: " + ", ".join(gone),
            f"{purpose}run: pip install 'loopworks[{name}]'",
        )
    return Check(f"[{name}]", "ok", ", ".join(f"{part} {installed(part)}" for part in parts))


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

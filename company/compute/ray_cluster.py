"""Joining a Ray cluster, or starting one on this machine. Ray is the optional part `ray`, imported only here and later.

Covered: an address that is wrong, silent or no Ray ends in one line within PROBE_S; a node runs the code of the machine
that asks, whatever is installed there; nothing is written to the home directory, and nothing is reported to anybody.
Not covered: the libraries beneath, which every node must have in the same versions (`differing`); a lost head node,
with which the whole cluster is gone.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from company.compute.backend import ComputeError
from company.compute.environment import ROOT

INSTALL = "Ray is not installed: run pip install 'loopworks[ray]'"
CONNECT_S, PROBE_S = 5.0, 45.0
PACKAGES = ("company", "roles", "projects", "org_charts")  # what a node runs of ours
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")  # results depend on them
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # or its daemons talk on standard output, which is data
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
LONGEST_FOLDER = 40  # Ray puts sockets below, whose whole path must stay within 107 bytes
PROBE = "import ray, sys; ray.init(sys.argv[1], log_to_driver=False, logging_level='ERROR'); ray.shutdown()"


class ClusterError(ComputeError):
    """The cluster cannot be used; one line that says what to do."""


class RayMissing(ClusterError):
    """The optional part `ray` is not installed."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster has in all, whoever uses it now. `here`: it was started on this machine, for us alone."""

    cpus: int
    gpus: int
    here: bool


def require_ray() -> None:
    """Raises RayMissing."""
    if importlib.util.find_spec("ray") is None:
        raise RayMissing(INSTALL)


def library() -> Any:
    """Ray itself, which type checkers need not find."""
    return importlib.import_module("ray")


_joined: tuple[Cluster, Path] | None = None


def join(address: str | None = None, cpus: int | None = None) -> Cluster:
    """Join the cluster at `address`, or start one here with `cpus` CPUs (its cores otherwise). Once, until `leave`.

    Raises RayMissing or ClusterError. Takes about ten seconds to start one, three to join one.
    """
    global _joined
    require_ray()
    if _joined is None:
        os.environ.update(QUIET)
        if address is not None:
            _reach(address)
        folder = Path(tempfile.mkdtemp(prefix="loopworks-", dir=_short(tempfile.gettempdir())))
        try:
            _joined = _join(address, cpus, folder), folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return _joined[0]


def leave() -> None:
    """Leave the cluster, which ends all that we run there; end it where it was started for us."""
    global _joined
    if _joined is not None:
        (_, folder), _joined = _joined, None
        library().shutdown()
        shutil.rmtree(folder, ignore_errors=True)


@cache
def versions() -> dict[str, str]:
    """The versions that results depend on, of this machine."""
    return {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def differing(theirs: Mapping[str, str]) -> str:
    """How a node's versions differ from those here, in words; empty where they are the same."""
    mine = versions()
    return ", ".join(
        f"{name} {theirs.get(name)} instead of {mine[name]}" for name in mine if theirs.get(name) != mine[name]
    )


def refuse_differing(theirs: Mapping[str, str]) -> None:
    """Raises ClusterError where a node's libraries are not those of this machine: its results would not be either."""
    if words := differing(theirs):
        raise ClusterError(f"a node of the Ray cluster has {words}: install the same versions on every node")


def _join(address: str | None, cpus: int | None, folder: Path) -> Cluster:
    ray = library()
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # or it writes one to the home directory
            ray.init("local", num_cpus=cpus, include_dashboard=False, _temp_dir=str(folder), **quiet)
        else:
            ray.init(address, runtime_env={"working_dir": str(_stage(folder / "code"))}, **quiet)
        found = ray.cluster_resources()
    except Exception as error:
        where = f"join the Ray cluster at {address}" if address else "start Ray on this machine"
        raise ClusterError(f"cannot {where}: {_one_line(str(error))}") from None
    return Cluster(int(found.get("CPU", 0)), int(found.get("GPU", 0)), address is None)


def _reach(address: str) -> None:
    """Find out within a bounded time whether a Ray cluster answers; ray.init itself may hang for minutes."""
    if "://" in address:
        raise ClusterError(f"--ray-address {address}: go to a node of the cluster and give HOST:PORT, or auto")
    if address != "auto":
        _connect(address)
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, address], capture_output=True, text=True, timeout=PROBE_S,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ClusterError(f"--ray-address {address}: no Ray cluster answered within {PROBE_S:g} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if re.match(r"[\w.]+(Error|Exit)\b", line)] or ["no answer"]
        raise ClusterError(f"--ray-address {address}: {_one_line(said[-1])}")


def _connect(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65536):
        raise ClusterError(
            f"--ray-address {address}: must be HOST:PORT of the head node, such as 10.0.0.5:6379, or auto"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise ClusterError(f"--ray-address {address}: {why}: is the head node up ('ray start --head')?") from None


def _stage(folder: Path) -> Path:
    """Our packages in one folder, for Ray to hand to every node."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _short(folder: str) -> str:
    return folder if len(folder) <= LONGEST_FOLDER else "/tmp"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _one_line(text: str, most: int = 300) -> str:
    return " ".join(text.split())[:most]

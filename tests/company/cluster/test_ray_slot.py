"""A slot on a node has the level of the sandbox that was asked for, or takes no part; Ray is not needed to try it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from company.compute import ray_compute
from company.compute.backend import ComputeError, Order, Slot
from company.compute.own_folder import OwnFolder, sweep
from company.compute.ray_cluster import versions
from company.compute.ray_compute import RayCompute
from company.compute.ray_slot import Done, Kit, RaySlot, pack
from company.compute.sandbox import probe as probing
from company.compute.sandbox.levels import LEVELS, Wanted
from company.compute.sandbox.probe import Probed, SandboxError, probe
from projects.load import load_project
from projects.spec import Project
from tests.support import write_project

HAD = [level for level in LEVELS if probe().has(level)]
NOTHING = Probed({"strict": "bwrap is not installed", "standard": "no", "degraded": "no", "none": ""})


class Died(Exception):
    """What Ray says of an actor that is no more."""


class Refused(Exception):
    """What Ray says of a call that raised `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class StandIn:
    """As much of Ray as RayCompute asks for. Its first actor starts and dies; no later one gets its level."""

    exceptions = SimpleNamespace(RayError=Died, RayTaskError=Refused)

    def __init__(self) -> None:
        self.actors = 0

    def put(self, kit: Kit) -> Kit:
        return kit

    def remote(self, **needs: Any) -> Any:
        return lambda actor: SimpleNamespace(remote=self.place)

    def kill(self, actor: Any, no_restart: bool) -> None:
        pass

    def place(self, kit: Kit, slot: Slot) -> Any:
        self.actors += 1
        return SimpleNamespace(
            start=SimpleNamespace(remote=self.start if self.actors == 1 else self.refuse),
            ping=SimpleNamespace(remote=self.die),
        )

    async def start(self) -> dict[str, str]:
        return versions()

    async def refuse(self) -> None:
        raise Refused(SandboxError("--sandbox strict: bwrap is not installed"))

    async def die(self) -> None:
        raise Died


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load_project(str(write_project(tmp_path / "project")))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The node's folder for temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def order(project: Project, folder: Path) -> Order:
    config = {"x": 0.5, "size": 1, "mode": "fine"}
    return Order("e1", 1, Slot(0), project, folder / "e1", folder / "data", config, 1, 20)


@pytest.mark.parametrize(("wanted", "level"), [("auto", probe().best()), *((level, level) for level in HAD)])
async def test_an_order_runs_at_the_level_that_was_asked_for(
    project: Project, tmp_path: Path, temporary: Path, wanted: Wanted, level: str
) -> None:
    slot = RaySlot(Kit(pack(project.folder), {"data.json": b"{}"}, project.preload, wanted), Slot(0))
    await slot.start()
    try:
        *_, done = [news async for news in slot.run(order(project, tmp_path))]
    finally:
        await slot.close()
    assert isinstance(done, Done) and done.outcome.status == "ok"
    assert done.outcome.measured["sandbox"] == level
    assert not list(temporary.iterdir())


async def test_a_node_that_cannot_give_the_level_takes_no_part_and_keeps_nothing(
    project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "probe", lambda: NOTHING)
    with pytest.raises(SandboxError, match="--sandbox strict: bwrap is not installed: install bubblewrap"):
        await RaySlot(Kit({}, {}, project.preload, "strict"), Slot(0)).start()
    assert not list(temporary.iterdir())


async def test_an_order_that_is_left_without_a_fit_node_says_why(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = StandIn()
    monkeypatch.setattr(ray_compute, "library", lambda: ray)
    monkeypatch.setattr(ray_compute, "PATIENCE_S", 0.2)
    compute = RayCompute([Slot(0)], preload=project.preload, sandbox="strict")
    await compute.prepare_data(project, tmp_path / "data")
    outcome = await asyncio.wait_for(compute.run(order(project, tmp_path), lambda *rung: None), 30)
    await compute.close()
    assert (outcome.status, outcome.failure) == ("lost", "infrastructure")
    assert "--sandbox strict: bwrap is not installed" in outcome.detail


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from company.compute.backend import Slot
from company.compute.ray_slot import Kit, RaySlot, pack
from projects.load import load_project

async def work():
    project = load_project(sys.argv[1])
    await RaySlot(Kit(pack(project.folder), {}, project.preload, "none"), Slot(0)).start()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(work())
"""


async def test_what_a_killed_actor_leaves_is_removed_by_the_next_on_its_node(project: Project, temporary: Path) -> None:
    stranger, living = temporary / "loopworks-slot-stranger", OwnFolder()
    stranger.mkdir()
    words, there = [sys.executable, "-c", KILLED, str(project.folder)], {**os.environ, "TMPDIR": str(temporary)}
    killed = subprocess.run(words, env=there, cwd=Path(__file__).parents[3], stdin=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    (left,) = set(temporary.glob("loopworks-slot-*")) - {stranger, living.path}
    assert (left / "project" / "train.py").is_file()
    await asyncio.wait_for(asyncio.to_thread(_until_free, left / "lock"), 30)
    slot = RaySlot(Kit(pack(project.folder), {}, project.preload, "none"), Slot(0))
    await slot.start()
    try:
        assert not left.exists()
    finally:
        await slot.close()
    assert set(temporary.iterdir()) == {stranger, living.path}
    living.close()
    assert set(temporary.iterdir()) == {stranger}


def _until_free(lock: Path) -> None:
    """Wait until the warm parent of the killed has noticed."""
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


async def test_a_slot_that_cannot_start_leaves_nothing(project: Project, temporary: Path) -> None:
    with pytest.raises(ComputeError):
        await RaySlot(Kit(pack(project.folder), {}, ["no_such_module"], "none"), Slot(0)).start()
    assert not list(temporary.iterdir())


def test_a_folder_whose_removal_was_cut_short_is_removed_by_the_next(temporary: Path) -> None:
    lost = OwnFolder()
    (lost.path / "deep").mkdir()
    os.close(lost.lock_fd)  # as when its process dies
    link = temporary / "loopworks-slot-link"
    link.symlink_to(lost.path)
    sweep()
    assert list(temporary.iterdir()) == [link]

"""Experiments on a Ray cluster: outcomes, rungs and folders as on this machine, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from company.compute.backend import ComputeError, Order, Outcome, Slot
from company.compute.local import LocalCompute
from company.compute.sandbox.probe import probe
from projects.load import load_project
from projects.spec import Project
from tests.support import loopworks, start, write_chart, write_project

pytestmark = pytest.mark.slow
RUNGS = (0.1, 0.5, 1.0)


@dataclass
class Bench:
    """A compute, a project that trains in a second or until it is ended, and what came back."""

    compute: Any
    project: Project
    folder: Path
    rungs: list[tuple[int, int, float]] = field(default_factory=list)

    def order(self, name: str = "e1", mode: str = "fine") -> Order:
        config = {"x": 0.5, "size": 1, "mode": mode}
        return Order(
            name, 1, self.compute.slots[0], self.project, self.folder / "experiments" / name, self.folder / "data",
            config, 1, 20, rungs=RUNGS,
        )  # fmt: skip

    def start(self, name: str = "e1", mode: str = "fine") -> asyncio.Task[Outcome]:
        return asyncio.create_task(
            self.compute.run(self.order(name, mode), lambda *rung: self.rungs.append(rung)), name=name
        )

    def files(self, name: str = "e1") -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "experiments" / name).iterdir()}


@pytest_asyncio.fixture
async def bench(cluster: Any, tmp_path: Path) -> AsyncIterator[Bench]:
    from company.compute.ray_cluster import leave
    from company.compute.ray_compute import RayCompute, cluster_slots

    project = load_project(str(write_project(tmp_path / "project", modes=("fine", "hang", "raise"), seconds=60)))
    compute = RayCompute(cluster_slots(cluster.address, 2), preload=project.preload)
    await compute.start()
    await compute.prepare_data(project, tmp_path / "data")
    yield Bench(compute, project, tmp_path)
    await compute.close()
    leave()


async def test_an_order_gives_what_it_gives_here(bench: Bench) -> None:
    there, failed = await asyncio.gather(bench.start(), bench.start("e2", "raise"))
    rungs, files = list(bench.rungs), (bench.files(), bench.files("e2"))
    here = LocalCompute([Slot(0)], preload=bench.project.preload)
    local = replace(bench, compute=here, rungs=[], folder=bench.folder / "here")
    await here.prepare_data(bench.project, local.folder / "data")
    try:
        wanted, broken = await local.start(), await local.start("e2", "raise")
    finally:
        await here.close()
    assert replace(there, measured={}) == replace(wanted, measured={}) and there.status == "ok"
    assert replace(failed, measured={}) == replace(broken, measured={}) and failed.failure == "crash"
    assert sorted(rungs) == sorted(local.rungs)
    for mine, theirs in zip(files, (local.files(), local.files("e2")), strict=True):
        assert mine.keys() == theirs.keys()
        assert all(mine[name] == theirs[name] for name in mine.keys() - {"result.json", "log.txt"})
    assert set(there.measured) == set(wanted.measured)
    assert there.measured["sandbox"] == probe().best()


async def test_stopping_an_order_ends_its_processes_and_the_slot_goes_on(bench: Bench) -> None:
    running = bench.start(mode="hang")
    (pid,) = await until(training)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(pid)
    outcomes = await asyncio.gather(*(bench.start(name) for name in ("e2", "e3", "e4")))
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3


async def test_an_actor_that_dies_loses_its_order_and_another_takes_it(bench: Bench) -> None:
    running = bench.start(mode="hang")
    (pid,) = await until(training)
    actor, left = actor_of(pid), Path(f"/proc/{pid}/cwd").readlink().parents[1]
    assert actor and left.name.startswith("loopworks-slot-")
    os.kill(actor, signal.SIGKILL)
    outcome = await running
    assert (outcome.status, outcome.failure) == ("lost", "infrastructure")
    await until(lambda: not alive(pid))
    await until(lambda: not left.exists())  # the next actor on the node has seen to it
    outcomes = await asyncio.gather(*(bench.start(name) for name in ("e1", "e2", "e3")))
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3


async def test_a_node_that_dies_leaves_its_orders_to_the_others(cluster: Any, tmp_path: Path) -> None:
    from company.compute.ray_cluster import leave
    from company.compute.ray_compute import RayCompute, cluster_slots

    doomed = cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    project = load_project(str(write_project(tmp_path / "project", modes=("fine", "hang"), seconds=60)))
    compute = RayCompute(cluster_slots(cluster.address, 3), preload=project.preload)
    bench = Bench(compute, project, tmp_path)
    try:
        await compute.prepare_data(project, tmp_path / "data")
        hanging = [bench.start(f"e{index}", "hang") for index in range(3)]
        await until(lambda: len(training()) == 3)
        await asyncio.to_thread(cluster.remove_node, doomed, False)
        done, left = await asyncio.wait(hanging, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        assert [task.result().status for task in done] == ["lost"] and len(left) == 2
        for task in left:
            task.cancel()
        await asyncio.wait(left)
        outcomes = await asyncio.gather(*(bench.start(f"f{index}") for index in range(4)))
        assert [outcome.status for outcome in outcomes] == ["ok"] * 4
    finally:
        await compute.close()
        leave()


def test_a_run_on_a_cluster_has_the_history_of_one_here(cluster: Any, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    chart = write_chart(tmp_path / "small.yaml")
    words = ("run", chart, "--project", project, "--slots", "2", "--deterministic", "--json")
    here = loopworks(*words, "--device", "cpu", "--out", "here", cwd=tmp_path)
    there = loopworks(*words, "--compute", "ray", "--ray-address", cluster.address, "--out", "there", cwd=tmp_path)
    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    assert json.loads(there.stdout)["run_dir"] == "there"
    assert digest(tmp_path / "there") == digest(tmp_path / "here")
    assert (tmp_path / "there/experiments/e0001/result.json").is_file()


def test_a_run_on_a_cluster_whose_workers_are_killed_is_the_same_run(cluster: Any, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", step=0.02)
    chart = write_chart(tmp_path / "small.yaml")
    words = ("run", chart, "--project", project, "--slots", "2", "--deterministic", "--json")
    here = loopworks(*words, "--device", "cpu", "--out", "here", cwd=tmp_path)
    assert here.returncode == 0, here.stderr
    running = start(*words, "--compute", "ray", "--ray-address", cluster.address, "--out", "there", cwd=tmp_path)
    killed: set[int] = set()
    deadline = time.monotonic() + 60
    while len(killed) < 2 and time.monotonic() < deadline:
        for actor in {actor_of(pid) for pid in training()} - killed - {0}:
            os.kill(actor, signal.SIGKILL)
            killed.add(actor)
        time.sleep(0.02)
    said = running.communicate(timeout=120)[1]
    assert running.returncode == 0 and len(killed) >= 2, said
    assert digest(tmp_path / "there") == digest(tmp_path / "here")
    with sqlite3.connect(f"file:{tmp_path}/there/ledger.sqlite?mode=ro", uri=True) as ledger:
        assert ledger.execute("select count(*) from attempt where outcome = 'infrastructure'").fetchone()[0] >= 2


def test_an_interrupted_run_goes_on_here_to_the_same_end(cluster: Any, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", step=0.02)
    chart = write_chart(tmp_path / "small.yaml")
    words = ("run", chart, "--project", project, "--slots", "2", "--deterministic")
    here = loopworks(*words, "--device", "cpu", "--out", "here", cwd=tmp_path)
    assert here.returncode == 0, here.stderr
    running = start(*words, "--compute", "ray", "--ray-address", cluster.address, "--out", "there", cwd=tmp_path)
    results = tmp_path / "there/experiments"
    deadline = time.monotonic() + 60
    while not (list(results.glob("*/result.json")) and training()) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "--resume there" in said
    assert not training()
    done = loopworks("run", "--resume", "there", "--compute", "local", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "there") == digest(tmp_path / "here")


def test_a_run_on_a_cluster_has_the_sandbox_that_was_asked_for(cluster: Any, tmp_path: Path) -> None:
    project, chart = write_project(tmp_path / "project"), write_chart(tmp_path / "small.yaml", experiments=2)
    words = ("run", chart, "--project", project, "--slots", "2", "--json")
    on = ("--compute", "ray", "--ray-address", cluster.address)
    done = loopworks(*words, *on, "--sandbox", "none", "--out", "there", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["slots"]["sandbox"] == "none"


def test_a_node_that_cannot_give_the_level_ends_the_run_before_it_is_founded(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").touch(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        node = cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    project, chart = write_project(tmp_path / "project"), write_chart(tmp_path / "small.yaml")
    words = ("run", chart, "--project", project, "--slots", "3", "--out", "there")
    try:
        done = loopworks(
            *words, "--compute", "ray", "--ray-address", cluster.address, "--sandbox", "strict", cwd=tmp_path
        )
    finally:
        cluster.remove_node(node)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("loopworks: a node of the Ray cluster: --sandbox strict: "), done.stderr
    assert not (tmp_path / "there").exists()


async def test_a_slot_of_a_cluster_with_gpus_is_a_share_of_one_and_has_to_prove_it(
    cluster: Any, tmp_path: Path
) -> None:
    from company.compute.ray_cluster import leave
    from company.compute.ray_compute import RayCompute, cluster_slots

    node = cluster.add_node(num_cpus=0, num_gpus=2, object_store_memory=100 << 20)
    try:
        project = load_project(str(write_project(tmp_path / "project")))
        assert [slot.device for slot in cluster_slots(cluster.address, 2, device="cpu")] == ["cpu", "cpu"]
        slots = cluster_slots(cluster.address)
        assert [(slot.device, slot.share) for slot in slots] == [("cuda", 1.0)] * 2
        assert {slot.share for slot in cluster_slots(cluster.address, 4)} == {0.5}
        compute = RayCompute(slots, preload=project.preload)
        with pytest.raises(ComputeError, match="CUDA does not work"):  # the node only says that it has two
            await compute.prepare_data(project, tmp_path / "data")
        await compute.close()
    finally:
        leave()
        cluster.remove_node(node)


def digest(run: Path) -> str:
    with sqlite3.connect(f"file:{run}/ledger.sqlite?mode=ro", uri=True) as ledger:
        return ledger.execute("select chain from event order by seq desc limit 1").fetchone()[0]


def training() -> list[int]:
    """The training processes that run on the cluster's nodes: they work in an experiment's folder there."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cwd") if at_work(path)]


def at_work(cwd: Path) -> bool:
    try:
        return cwd.readlink().match(f"{os.environ['TMPDIR']}/loopworks-*/experiments/*")
    except OSError:
        return False


def actor_of(pid: int) -> int:
    """The actor above the warm parent of a training process, 0 where it is gone: never anybody else's process."""
    actor = parent(parent(pid))
    try:
        return actor if Path(f"/proc/{actor}/cmdline").read_text().startswith("ray::RaySlot") else 0
    except OSError:
        return 0


def parent(pid: int) -> int:
    """The parent of a process, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.02)
    return value

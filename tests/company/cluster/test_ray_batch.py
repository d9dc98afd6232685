"""A batch on a Ray cluster: the same rows as here, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from company.batch.backends import Chunk, LocalBackend, Work
from company.batch.grid import Grid, Task, resolve
from company.batch.rows import Row
from company.batch.scenario import scenario
from company.batch.work import work
from tests.support import loopworks, start

pytestmark = pytest.mark.slow
BATCH = ("batch", "startup", "--project", "planted", "--seeds", "2", "--experiments", "12", "--json")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The batch on this machine."""
    done = loopworks(*BATCH, "--jobs", "1", cwd=tmp_path_factory.mktemp("here"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_batch_on_a_cluster_has_the_rows_of_one_here(cluster: Any, here: Any, tmp_path: Path) -> None:
    done = loopworks(*BATCH, "--backend", "ray", "--ray-address", cluster.address, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == here
    assert not list(Path.home().glob(".ray*"))


def test_ray_on_this_machine_alone_leaves_nothing_behind(here: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the optional part 'ray' is not installed")
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    settings = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    words = (*BATCH, "--backend", "ray", "--jobs", "2", "--out", "out")
    done = loopworks(*words, cwd=tmp_path, env=settings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == here
    assert not list((tmp_path / "home").glob(".ray*"))
    assert not list((tmp_path / "tmp").iterdir())


def test_ctrl_c_keeps_what_is_done_and_another_backend_goes_on(here: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the optional part 'ray' is not installed")
    running = start(*BATCH, "--backend", "ray", "--jobs", "1", "--out", "out", cwd=tmp_path)
    until(lambda: rows_in(tmp_path / "out/results.sqlite") >= 1)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "rows are kept" in said
    done = loopworks(*BATCH, "--jobs", "1", "--out", "out", cwd=tmp_path)
    assert json.loads(done.stdout)["rows"] == here["rows"]


def test_a_worker_that_dies_costs_its_rows_a_second_run(
    cluster: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert on_cluster(cluster, Dies(tmp_path, seed=2, times=1)) == local(work)
    assert len(list(tmp_path.iterdir())) == 1
    assert capfd.readouterr().out == ""


def test_a_row_that_kills_its_worker_twice_is_a_failed_row_as_it_is_here(cluster: Any, tmp_path: Path) -> None:
    found, wanted = on_cluster(cluster, Dies(tmp_path, seed=2, times=9)), local(work)
    assert [row for row in found if row.seed != 2] == [row for row in wanted if row.seed != 2]
    (failed,) = (row for row in found if row.seed == 2)
    assert (failed.status, failed.stage) == ("failed", "running") and "process died, twice" in failed.reason


def test_rows_of_a_node_that_dies_are_run_again_elsewhere(cluster: Any, extra_node: Any, tmp_path: Path) -> None:
    caught = tmp_path / "caught"

    def kill() -> None:
        until(caught.exists)
        cluster.remove_node(extra_node, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    found = on_cluster(cluster, Sticks(extra_node.node_id, caught))
    killer.join()
    assert caught.exists()
    assert found == local(work)


def test_what_a_row_raises_is_raised_here(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        on_cluster(cluster, broken)


@dataclass
class Dies:
    """Ends the process of a seed's row, as often as `times`."""

    folder: Path
    seed: int
    times: int

    def __call__(self, task: Task) -> Row:
        deaths = len(list(self.folder.iterdir()))
        if task.seed == self.seed and deaths < self.times:
            (self.folder / str(deaths)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return work(task)


@dataclass
class Sticks:
    """A row on this node never ends."""

    node: str
    caught: Path

    def __call__(self, task: Task) -> Row:
        import ray

        if ray.get_runtime_context().get_node_id() == self.node:
            self.caught.touch()
            time.sleep(600)
        return work(task)


def broken(task: Task) -> Row:
    raise ZeroDivisionError(task.seed)


def grid() -> Grid:
    wanted = {"charts": ["solo"], "projects": ["bowl"], "seeds": 9, "experiments": 4, "controls": False}
    return resolve(scenario(wanted))


def chunks(found: Grid) -> Iterator[Chunk]:
    for first in range(0, len(found), 2):
        yield tuple(found.task(row) for row in range(first, min(first + 2, len(found))))


def local(work: Work) -> Sequence[Row]:
    return [row for some in LocalBackend(1, work).run(chunks(grid())) for row in some]


def on_cluster(cluster: Any, work: Work) -> Sequence[Row]:
    from ray import cloudpickle

    from company.batch.ray_backend import on_ray

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with on_ray(cluster.address, work=work) as backend:
        return [row for some in backend.run(chunks(grid())) for row in some]


def rows_in(path: Path) -> int:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
            return store.execute("select count(*) from row").fetchone()[0]
    except sqlite3.Error:
        return 0


def until(condition: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.05)

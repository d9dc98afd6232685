"""Ten thousand companies take no more memory than a thousand: rows go to the file as they come."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from company.batch.backends import LocalBackend
from company.batch.grid import Task, resolve
from company.batch.outcome import analysis_of
from company.batch.rows import Row
from company.batch.runner import run_batch
from company.batch.scenario import scenario
from company.batch.store import Store
from company.batch.work import work

TRAIL = 60


def made_up(task: Task) -> Row:
    """A row as large as a real one, at once."""
    regret = 1.0 / (2 + task.row % 7)
    trail = tuple((float(i), regret + 1.0 / (i + 1)) for i in range(TRAIL))
    metrics = {"regret": regret, "best_found": regret, "experiments": 60.0, "slot_seconds": 100.0}
    return Row(task.arm.chart, task.project, task.arm.settings, task.seed, "f" * 64, "ok", metrics, trail,
               {"best_found": trail, "mean_of_agents": trail})  # fmt: skip


def peak(folder: Path, seeds: int) -> int:
    """Bytes at the peak of running so many rows."""
    folder.mkdir()
    grid = resolve(scenario({"charts": ["solo"], "projects": ["bowl"], "seeds": seeds, "controls": False}))
    store = Store(folder / "results.sqlite", write=True)
    store.begin(grid, {})
    tracemalloc.start()
    run_batch(grid, store, LocalBackend(1, made_up))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert store.counts() == {"ok": seeds}
    store.close()
    return most


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    few, many = peak(tmp_path / "few", 1_000), peak(tmp_path / "many", 4_000)
    assert many < few + 3_000 * 200  # their numbers are known, and nothing else of them: a row has 30 kB


@pytest.mark.parametrize("engine", ["direct", "autogen"])
def test_a_company_leaves_no_cycles_of_objects_behind(engine: str) -> None:
    wanted = scenario({"charts": ["startup"], "projects": ["bowl"], "seeds": 3, "engine": engine, "experiments": 12})
    grid = resolve(wanted)
    work(grid.task(0))  # what is made once a process
    gc.collect()
    gc.disable()
    try:
        assert [work(grid.task(number)).status for number in (1, 2)] == ["ok", "ok"]
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.slow
def test_ten_thousand_rows_are_run_and_analysed_in_little(tmp_path: Path) -> None:
    assert peak(tmp_path / "many", 10_000) < 20e6
    store = Store(tmp_path / "many" / "results.sqlite")
    tracemalloc.start()
    found = analysis_of(store.grid(), store)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    store.close()
    assert found.rows == 10_000 and most < 400e6

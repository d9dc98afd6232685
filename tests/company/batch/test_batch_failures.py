"""What goes wrong in a company is a row; what is wrong with the question is one line."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest
from click.testing import CliRunner

from company.batch import outcome
from company.batch.backends import Chunk, LocalBackend
from company.batch.grid import Grid, Task, resolve
from company.batch.rows import Row
from company.batch.runner import run_batch
from company.batch.scenario import scenario
from company.batch.store import Store
from company.batch.work import work
from company.cli import loopworks
from company.compute.backend import Outcome
from company.simulated import Task as World


def grid(**more: object) -> Grid:
    return resolve(scenario({"charts": ["solo"], "projects": ["bowl"], "seeds": 4, "experiments": 4, **more}))


@pytest.mark.parametrize(
    ("where", "stage"), [("project", "founding"), ("train", "founding"), ("late", "running"), ("regret", "running")]
)
def test_an_error_in_a_company_is_a_failed_row_with_its_stage(
    where: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: World, *arguments: object) -> None:
        raise ValueError("no\nsuch\x1b[31m thing")

    def late(self: World, run: object) -> Outcome:
        if dict(run.config) != dict(self.baseline):  # type: ignore[attr-defined]
            broken(self)
        return Outcome("ok", metric=1.0)

    monkeypatch.setattr(World, "train" if where == "late" else where, late if where == "late" else broken)
    row = work(grid().task(0))
    assert (row.status, row.stage) == ("failed", stage)
    assert row.reason.startswith("ValueError: no such") and row.reason.isprintable()


def test_a_company_whose_facts_cannot_be_digested_is_a_failed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    project = World.project
    monkeypatch.setattr(World, "project", lambda self: replace(project(self), references={"gzip": math.nan}))
    row = work(grid().task(0))
    assert (row.status, row.stage, row.digest) == ("failed", "measuring", "") and "not JSON compliant" in row.reason


def test_a_baseline_that_fails_is_a_row_that_failed_at_founding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "train", lambda self, run: Outcome("failed", failure="crash"))
    row = work(grid().task(0))
    assert (row.status, row.stage) == ("failed", "founding") and row.reason == "the baseline failed (crash) in e0001"


def test_a_batch_of_which_every_row_failed_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "train", lambda self, run: Outcome("failed", failure="crash"))
    words = ["batch", "solo", "--project", "bowl", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path / "a")]
    result = CliRunner().invoke(loopworks, words)
    assert result.exit_code == 1 and "baseline failed" in result.output


def deadly(task: Task) -> Row:
    if task.seed == 2:
        os._exit(9)
    return work(task)


def lucky(task: Task) -> Row:
    """Kills its first worker only: the second finds what the first left behind."""
    mark = Path(os.environ["LOOPWORKS_TEST_MARK"])
    if task.seed == 2 and not mark.exists():
        mark.touch()
        os._exit(9)
    return work(task)


def chunks(found: Grid, size: int) -> Iterator[Chunk]:
    for first in range(0, len(found), size):
        yield tuple(found.task(row) for row in range(first, min(first + size, len(found))))


def test_a_row_that_kills_its_worker_twice_is_a_failed_row_and_costs_no_other() -> None:
    wanted = grid()
    with LocalBackend(2, deadly) as backend:
        rows = [row for some in backend.run(chunks(wanted, 3)) for row in some]
    assert [row.seed for row in rows if row.status == "failed"] == [2]
    assert [row for row in rows if row.seed != 2] == [work(wanted.task(n)) for n in (0, 1, 3)]
    assert next(row for row in rows if row.seed == 2).reason.startswith("its process died, twice")


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWORKS_TEST_MARK", str(tmp_path / "mark"))
    from multiprocessing import forkserver

    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the next one inherits the variable
    wanted = grid()
    with LocalBackend(2, lucky) as backend:
        rows = [row for some in backend.run(chunks(wanted, 2)) for row in some]
    assert rows == [work(wanted.task(n)) for n in range(4)]


def test_rows_come_back_in_order_and_chunks_are_taken_as_needed() -> None:
    wanted, taken = grid(seeds=40), list[int]()

    def counted() -> Iterator[Chunk]:
        for chunk in chunks(wanted, 1):
            taken.append(chunk[0].row)
            yield chunk

    with LocalBackend(2) as backend:
        results = backend.run(counted())
        assert next(results)[0].seed == 0
        assert len(taken) < 10
        assert [row.seed for some in results for row in some] == list(range(1, 40))


def told(task: Task) -> Row:
    """A row that names its process."""
    return Row(task.arm.chart, task.project, task.arm.settings, task.seed, str(os.getpid()), "ok", {})


def test_the_processes_of_one_run_serve_the_next_and_are_gone_at_the_end() -> None:
    before = set(active_children())
    with LocalBackend(2, told) as backend:
        runs = [{row.digest for some in backend.run(chunks(grid(seeds=8), 1)) for row in some} for _ in range(2)]
        workers = {str(child.pid) for child in set(active_children()) - before}
    assert str(os.getpid()) not in runs[0] | runs[1]
    assert runs[0] | runs[1] <= workers and len(workers) <= 2
    assert not set(active_children()) - before


def test_failed_rows_are_kept_and_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, store = grid(), Store(tmp_path / "results.sqlite", write=True)
    store.begin(wanted, {})
    monkeypatch.setattr(World, "train", lambda self, run: Outcome("failed", failure="crash"))
    run_batch(wanted, store, LocalBackend(1))
    monkeypatch.undo()
    run_batch(wanted, store, LocalBackend(1))
    assert store.counts() == {"failed": 4}
    store.close()


def test_ctrl_c_while_the_report_is_written_keeps_the_rows_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outcome, "write_report", interrupted)
    words = ["batch", "solo", "--project", "bowl", "--seeds", "2", "--experiments", "3", "--jobs", "1"]
    result = CliRunner().invoke(loopworks, [*words, "--out", str(tmp_path / "a")])
    assert result.exit_code == 130 and "2 of 2 rows are kept" in result.output


HOSTILE = {
    "no such chart": (["startupp"], "did you mean"),
    "no such project": (["solo", "--project", "digitz"], "digitz"),
    "a world that cannot be": (["solo", "--project", "nk:N=99"], "N from 2"),
    "a setting that is none": (["solo", "--project", "nk:M=3"], "M"),
    "no such policy": (["startup", "--set", "replace.rool=never"], "rool"),
    "no such value": (["startup", "--set", "replace.rule=never,sometimes"], "policies.replace.rule"),
    "a key twice": (["startup", "--set", "replace.rule=never", "--set", "policies.replace.rule=random"], "twice"),
    "no value": (["startup", "--set", "replace.rule"], "KEY=V1,V2"),
    "an escape": (["\x1b[31mred"], "red"),
    "no seeds": (["solo", "--seeds", "0"], "seeds"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_question_that_makes_no_sense_is_answered_in_one_line(name: str, tmp_path: Path) -> None:
    words, expected = HOSTILE[name]
    result = CliRunner().invoke(loopworks, ["batch", *words, "--out", str(tmp_path / "out")])
    lines = [line for line in result.output.splitlines() if not line.startswith(("Usage", "Try"))]
    assert result.exit_code == 2 and expected in result.output
    assert len([line for line in lines if line]) == 1 and "\x1b" not in result.output
    assert not (tmp_path / "out").exists()


SCENARIOS = {
    "an unknown key": ("charts: [solo]\nseedz: 3\n", "seedz"),
    "a word for a number": ("charts: [solo]\nseeds: many\n", "seeds"),
    "no charts": ("charts: []\n", "charts: must not be empty"),
    "one chart": ("charts: solo\n", "charts: must be a list"),
    "charts forgotten": ("seeds: 3\nprojects: [bowl]\n", "charts: is missing"),
    "a key twice": ("charts: [solo]\nseeds: 3\nseeds: 4\n", "mine.yaml:3: is not valid YAML: found duplicate key"),
    "half a list": ("charts: [solo\n", "is not valid YAML"),
    "an empty list": ("charts: [solo]\nset: {replace.rule: []}\n", "at least one value"),
    "no such task": ("charts: [solo]\nthinking: {dream: {median: 1}}\n", "dream"),
    "an endless time": ("charts: [solo]\nthinking: {propose: {median: .inf}}\n", "thinking"),
    "certain loss": ("charts: [solo]\nfaults: 1\n", "faults"),
    "a slot that stands still": ("charts: [solo]\nspeeds: [0]\n", "speeds"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_that_makes_no_sense_is_answered_in_one_line(name: str, tmp_path: Path) -> None:
    text, expected = SCENARIOS[name]
    (tmp_path / "mine.yaml").write_text(text)
    result = CliRunner().invoke(loopworks, ["batch", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2 and expected in result.output and result.output.count("\n") == 1


def test_a_scenario_and_flags_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("charts: [solo]\n")
    result = CliRunner().invoke(loopworks, ["batch", str(tmp_path / "mine.yaml"), "--seeds", "3"])
    assert result.exit_code == 2 and "--seeds" in result.output


@pytest.mark.parametrize("text", [None, "", "not a database, but long enough to be read as one" * 20])
def test_a_directory_without_a_batch_is_one_line(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "results.sqlite").write_text(text)
    result = CliRunner().invoke(loopworks, ["replay", str(tmp_path), "0"])
    assert result.exit_code in (1, 2) and result.output.count("\n") == 1 and "results.sqlite" in result.output


def test_a_row_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    words = ["batch", "solo", "--project", "bowl", "--seeds", "1", "--experiments", "3", "--jobs", "1"]
    CliRunner().invoke(loopworks, [*words, "--out", str(tmp_path / "a")])
    result = CliRunner().invoke(loopworks, ["replay", str(tmp_path / "a"), "99"])
    assert result.exit_code == 2 and "there are rows 0 to" in result.output

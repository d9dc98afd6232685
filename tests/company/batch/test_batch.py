"""A batch through its command: same rows however it is run, rows that can be run again, errors in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from command_kit import batch, invoke, rows_of, tamper

from company.batch.backends import LocalBackend
from company.batch.grid import resolve
from company.batch.runner import run_batch
from company.batch.scenario import scenario
from company.batch.store import Store
from company.ledger import Ledger

SMALL = ("solo", "--project", "bowl", "--project", "nk:N=8,K=2", "--seeds", "3", "--experiments", "6")


def run(out: Path, jobs: int, **asked: Any) -> list[tuple[int, Any]]:
    """The rows of a batch without its report; goes on where the file has some."""
    out.mkdir(exist_ok=True)
    grid, store = (
        resolve(scenario({"projects": ["bowl"], "experiments": 6, **asked})),
        Store(out / "results.sqlite", write=True),
    )
    store.begin(grid, {})
    with LocalBackend(jobs) as backend:
        dropped = run_batch(grid, store, backend)
    store.close()
    return [*rows_of(out), *((-1, each) for each in dropped)]


def test_the_same_batch_twice_and_with_two_jobs_gives_the_same_rows(tmp_path: Path) -> None:
    asked = {"charts": ["startup", "solo"], "projects": ["bowl", "nk:N=8,K=2"], "seeds": 3,
             "set": {"assign.share": ["bandit", "equal"]}}  # fmt: skip
    found = [run(tmp_path / str(i), jobs, **asked) for i, jobs in enumerate((1, 1, 2))]
    assert found[0] == found[1] == found[2]
    assert [number for number, _ in found[0]] == list(range(2 * 3 * len(found[0]) // 6))
    assert len({row.arm for _, row in found[0]}) == 6 and all(row.trail for _, row in found[0])


def test_a_row_says_all_that_it_depends_on_and_what_it_came_to(tmp_path: Path) -> None:
    first = batch(tmp_path / "a", *SMALL, "--jobs", "1")["rows"][0]
    assert first.keys() == {"row", "chart", "project", "settings", "seed", "digest", "metrics", "status"}
    assert first["status"] == "ok" and len(first["digest"]) == 64
    assert first["metrics"].keys() >= {
        "regret", "best_found", "mean_of_agents", "replacements", "structure_changes", "experiments", "slot_seconds",
        "confirmed_gains",
    }  # fmt: skip
    assert 0 <= first["metrics"]["best_found"] <= first["metrics"]["mean_of_agents"]


def test_controls_are_added_once_and_marked(tmp_path: Path) -> None:
    words = ("startup", "--project", "bowl", "--seeds", "2", "--experiments", "4", "--set",
             "policies.replace.rule=posterior,never", "--jobs", "1")  # fmt: skip
    arms = {f"{a['arm']['chart']} {a['arm']['settings']}": a["control"] for a in
            batch(tmp_path / "a", *words)["summary"]["arms"]}  # fmt: skip
    assert arms == {
        "startup replace.rule=posterior": False, "startup replace.rule=never": True,
        "startup replace.rule=random": True, "solo ": True,
    }  # fmt: skip
    plain = batch(tmp_path / "b", *words, "--no-controls")["summary"]["arms"]
    assert {a["arm"]["settings"] for a in plain} == {"replace.rule=posterior", "replace.rule=never"}
    assert not any(a["control"] for a in plain)


def arms(out: Path, charts: Sequence[str]) -> list[dict[str, Any]]:
    """The arms of a batch that was begun and not run."""
    out.mkdir()
    store = Store(out / "results.sqlite", write=True)
    store.begin(resolve(scenario({"charts": charts, "projects": ["bowl"]})), {})
    found = store.arms()
    store.close()
    return found


def test_every_arm_has_the_same_budget(tmp_path: Path) -> None:
    found = batch(
        tmp_path / "a", "flat", "solo", "--project", "bowl", "--seeds", "1", "--jobs", "1", "--experiments", "9"
    )
    assert all(9 <= row["metrics"]["experiments"] <= 18 for row in found["rows"])


@pytest.mark.parametrize("engine", ["direct", "autogen"])
def test_replay_writes_the_ledger_of_a_row_with_its_digest(engine: str, tmp_path: Path) -> None:
    out, where = tmp_path / "batch", tmp_path / "run"
    words = ("startup", "--project", "bowl", "--seeds", "1", "--experiments", "6", "--engine", engine)
    row = batch(out, *words, "--jobs", "1")["rows"][1]
    result = invoke("replay", str(out), "1", "--out", str(where))
    assert result.exit_code == 0, result.output
    ledger = Ledger(where / "ledger.sqlite")
    assert ledger.digest == row["digest"] and ledger.verify() == ledger.seq
    ledger.close()
    report = invoke("report", str(where), "--format", "json")
    assert report.exit_code == 0 and json.loads(report.stdout)["digest"] == row["digest"]


def test_both_engines_give_the_same_rows(tmp_path: Path) -> None:
    words = ("startup", "--project", "valley", "--seeds", "2", "--experiments", "6", "--jobs", "1", "--no-controls")
    one, other = (batch(tmp_path / e, *words, "--engine", e)["rows"] for e in ("direct", "autogen"))
    assert one == other


def test_what_is_there_is_not_replayed_over_and_a_batch_is_no_run(tmp_path: Path) -> None:
    out = str(tmp_path / "a")
    batch(tmp_path / "a", *SMALL, "--jobs", "1")
    assert invoke("replay", out, "1").exit_code == 0
    for words, said in (
        (("replay", out, "1"), "loopworks report"), (("replay", out), "name one of its rows"),
        (("report", out), "report.html"), (("verify", out), "is a batch"),
    ):  # fmt: skip
        result = invoke(*words)
        assert result.exit_code == 2 and said in result.output and result.output.count("\n") == 1, result.output


def test_readers_of_results_leave_nothing_beside_them(tmp_path: Path) -> None:
    batch(tmp_path / "a", *SMALL, "--jobs", "1")
    there = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(rows_of(tmp_path / "a")) == 6
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == there


def test_replay_of_a_row_that_comes_out_otherwise_is_one_line_and_1(tmp_path: Path) -> None:
    batch(tmp_path / "a", *SMALL, "--jobs", "1")
    tamper(tmp_path / "a", "UPDATE row SET digest = 'f00' WHERE row = 2")
    result = invoke("replay", str(tmp_path / "a"), "2")
    assert result.exit_code == 1 and "came out otherwise" in result.output and result.output.count("\n") == 1


def test_a_batch_that_was_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    asked = {"charts": ["startup"], "seeds": 4}
    whole = run(tmp_path / "whole", 1, **asked)
    run(tmp_path / "cut", 1, **asked)
    tamper(tmp_path / "cut", "DELETE FROM row WHERE row % 3 = 1")
    assert run(tmp_path / "cut", 2, **asked) == whole


def test_another_batch_in_the_same_directory_is_refused_in_one_line(tmp_path: Path) -> None:
    batch(tmp_path / "a", *SMALL, "--jobs", "1")
    result = invoke("batch", *SMALL[:-1], "7", "--out", str(tmp_path / "a"))
    assert result.exit_code == 2 and result.output.count("\n") == 1
    assert "holds another batch, of experiments 6, not 7" in result.output


LONG = ("startup", "--project", "rippled", "--seeds", "60", "--experiments", "20", "--no-controls")


START = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from company.cli import main; main()"


def start(out: Path, words: Sequence[str]) -> subprocess.Popen[str]:
    """The command in a process of its own, once some rows are recorded."""
    command = [sys.executable, "-c", START, "batch", *words, "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if (out / "results.sqlite").is_file() and count(out) > 1:
            break
    return process


def count(out: Path) -> int:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{out / 'results.sqlite'}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM row").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_what_was_done_is_kept_whatever_ends_it(kind: signal.Signals, jobs: str, tmp_path: Path) -> None:
    out = tmp_path / "cut"
    with start(out, (*LONG, "--jobs", jobs)) as process:
        process.send_signal(kind)
        _, said = process.communicate(timeout=60)
    kept = count(out)
    assert 1 < kept < 60
    if kind is signal.SIGINT:
        assert process.returncode == 130
        assert said.count("\n") == 1 and f"{kept} of 60 rows are kept" in said
    batch(out, *LONG, "--jobs", jobs)
    asked = {"charts": ["startup"], "projects": ["rippled"], "seeds": 60, "experiments": 20, "controls": False}
    assert rows_of(out) == run(tmp_path / "whole", 2, **asked)


def test_a_scenario_file_asks_for_the_same_as_flags(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "charts: [startup]\nprojects: [bowl]\nseeds: 2\nexperiments: 5\n"
        "set: {policies.replace.rule: [posterior, never], watch.rungs: [[0.25, 0.5], [0.5]]}\n"
    )
    words = ("startup", "--project", "bowl", "--seeds", "2", "--experiments", "5", "--set",
             "replace.rule=posterior,never", "--set", "policies.watch.rungs=[0.25, 0.5],[0.5]")  # fmt: skip
    assert batch(tmp_path / "a", str(file), "--jobs", "1") == batch(tmp_path / "b", *words, "--jobs", "1")


def test_thinking_faults_and_speeds_of_a_scenario_take_effect(tmp_path: Path) -> None:
    def seconds(name: str, **more: Any) -> float:
        rows = run(tmp_path / name, 1, charts=["solo"], seeds=1, controls=False, **more)
        return rows[0][1].metrics["company_seconds"]

    plain = seconds("plain")
    assert seconds("thinking", thinking={"propose": {"median": 5, "sd": 0.2}}) > plain + 5
    assert seconds("slow", speeds=[0.5]) == pytest.approx(2 * plain)
    assert seconds("shaky", faults=0.4) > plain


def test_the_files_of_the_report_are_there(tmp_path: Path) -> None:
    out = tmp_path / "a"
    result = invoke("batch", *SMALL, "--jobs", "1", "--out", str(out))
    assert result.exit_code == 0
    assert {path.name for path in out.iterdir()} >= {"results.sqlite", "report.md", "report.html", "plots"}
    assert {path.suffix for path in (out / "plots").iterdir()} == {".svg", ".png"}
    assert "Nothing can be concluded" in result.stdout


def test_a_race_drops_the_hopeless_and_keeps_the_controls(tmp_path: Path) -> None:
    asked = {"charts": ["solo"], "set": {"accept.screen": [1.0, 50.0]}, "seeds": 36, "race": True, "controls": False}
    one, other = (run(tmp_path / str(jobs), jobs, **asked) for jobs in (1, 2))
    assert one == other
    gone = [each for number, each in one if number < 0]
    seeds = Counter(str(row.arm) for number, row in one if number >= 0)
    assert [str(each.arm) for each in gone] == ["solo accept.screen=50.0"]
    assert seeds["solo accept.screen=1.0"] == 36 and 20 <= seeds["solo accept.screen=50.0"] < 36

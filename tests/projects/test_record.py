"""`loopworks project record` on a real project that trains in milliseconds, whatever happens to it on the way."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from company.surrogates.catalogue import worlds
from company.surrogates.design import design
from company.surrogates.from_ledger import ledger_recording
from company.surrogates.recording import read_recording
from projects.load import load_project
from tests.support import kill_hard, loopworks, start, write_chart, write_project

WORDS = ("project", "record", "tiny", "--points", 9, "--seeds", 2, "--slots", 2)
TRAININGS = 10 + 9 + 3  # the baseline, each point, and the second seed of every third


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project and its whole recording."""
    folder = tmp_path_factory.mktemp("recorded")
    write_project(folder / "tiny")
    done = loopworks(*WORDS, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trainings"] == TRAININGS
    return folder


def facts(path: Path) -> list[tuple[object, ...]]:
    """What trainings say, without how long they took."""
    return [(dict(r.config), r.seed, r.status, r.failure, r.metric, r.curve) for r in read_recording(path).rows]


def test_every_trial_of_the_design_was_trained_and_scored(undisturbed: Path) -> None:
    recording, project = read_recording(undisturbed / "tiny.parquet"), load_project(undisturbed / "tiny")
    trials = design(project.space, project.baseline, 9, 2, 0)
    assert [(row.config, row.seed) for row in recording.rows] == [(t.config, t.seed) for t in trials]
    for row in recording.rows:
        assert row.status == ("ok" if row.config["mode"] == "fine" else "failed")
        assert row.failure == (None if row.status == "ok" else "crash")
        assert row.curve is not None and row.seconds and row.cost == pytest.approx(0.02, rel=0.1)
    bowl = [(abs(float(row.config["x"]) - 0.7), row.metric) for row in recording.rows if row.metric is not None]
    assert min(bowl)[1] < max(bowl)[1]


def test_the_file_says_how_it_was_made(undisturbed: Path) -> None:
    about, project = read_recording(undisturbed / "tiny.parquet").about, load_project(undisturbed / "tiny")
    assert about.hashes == {"code": project.code_hash, "evaluator": project.evaluator_hash, "data": "none"}
    assert about.source == "trained" and about.slots == 2 and about.machine and "--points 9" in about.command
    assert {"python", "torch", "numpy"} <= set(about.versions)
    assert read_recording(undisturbed / "tiny.parquet").costs == project.costs
    assert not (undisturbed / "tiny.parquet.work").exists()


def test_a_second_time_trains_nothing_and_more_points_only_those(undisturbed: Path) -> None:
    journal = undisturbed / "tiny.parquet.journal.jsonl"
    was, before = facts(undisturbed / "tiny.parquet"), journal.read_bytes()
    assert loopworks(*WORDS, cwd=undisturbed).returncode == 0
    assert journal.read_bytes() == before
    more = loopworks(
        "project", "record", "tiny", "--points", 11, "--seeds", 2, "--out", "tiny.parquet", cwd=undisturbed
    )
    assert more.returncode == 0, more.stderr
    assert journal.read_bytes().startswith(before)
    assert facts(undisturbed / "tiny.parquet")[:TRAININGS] == was


@pytest.mark.parametrize("hard", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_stopped_at_any_moment_it_goes_on_to_the_same_file(undisturbed: Path, tmp_path: Path, hard: bool) -> None:
    write_project(tmp_path / "tiny")
    journal = tmp_path / "tiny.parquet.journal.jsonl"
    for mark in (3, 9):
        process = start(*WORDS, cwd=tmp_path)
        wait_for_lines(journal, mark)
        if hard:
            kill_hard(process)
        else:
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 130 and "goes on" in said and "Traceback" not in said
    with journal.open("ab") as torn:
        torn.write(b'{"config": {"x": 0.')
    kept = journal.read_text().splitlines()[:-1]
    done = loopworks(*WORDS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert journal.read_text().splitlines()[: len(kept)] == kept
    assert len(journal.read_text().splitlines()) == TRAININGS + 1
    assert facts(tmp_path / "tiny.parquet") == facts(undisturbed / "tiny.parquet")[:TRAININGS]


def wait_for_lines(path: Path, count: int, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not path.is_file() or path.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < deadline, f"{path}: no {count} trainings within {timeout} s"
        time.sleep(0.01)


def test_other_code_never_goes_on_with_a_journal(undisturbed: Path, tmp_path: Path) -> None:
    folder = write_project(tmp_path / "tiny")
    (tmp_path / "tiny.parquet.journal.jsonl").write_bytes((undisturbed / "tiny.parquet.journal.jsonl").read_bytes())
    (folder / "train.py").write_text((folder / "train.py").read_text() + "\n# changed\n")
    done = loopworks(*WORDS, cwd=tmp_path)
    assert done.returncode == 1
    assert "train.py" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_bad_words_are_one_line(tmp_path: Path) -> None:
    for words, code in ((("project", "record", "nowhere"), 2), (("project", "record", "digits", "--points", 0), 2)):
        done = loopworks(*words, cwd=tmp_path)
        assert done.returncode == code and "Traceback" not in done.stderr


def test_past_runs_become_a_world(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny")
    write_chart(tmp_path / "chart.yaml", experiments=24)
    for seed in (0, 1):
        words = ("run", "chart.yaml", "--project", "tiny", "--slots", "2", "--seed", seed, "--out", f"runs/{seed}")
        done = loopworks(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    one, both = (ledger_recording(tmp_path / folder) for folder in ("runs/0", "runs"))
    assert len(both.rows) > 1.5 * len(one.rows) > 24
    assert {row.status for row in both.rows} == {"ok", "failed"}
    assert both.about.hashes["code"] == load_project(tmp_path / "tiny").code_hash
    (world,) = worlds(f"from-ledger:{tmp_path / 'runs'}", 0)
    best = {"x": 0.7, "size": 1, "mode": "fine"}
    assert world.regret(best) < world.regret(world.project().baseline)
    shown = loopworks("project", "surrogate", f"from-ledger:{tmp_path / 'runs'}", cwd=tmp_path)
    assert shown.returncode == 0 and "R2" in shown.stdout

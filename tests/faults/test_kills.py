"""Killed at any instant, a run goes on to the history of one that was left in peace, and loses nothing on the way."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from fault_kit import PATIENCE_S, Company, descendants, events, reached, rows, until

from company.ledger import Ledger


def test_a_run_that_was_killed_before_its_founding_is_begun_anew(company: Company) -> None:
    run = company.folder / "unfounded"
    run.mkdir()
    Ledger(run / "ledger.sqlite", write=True).close()
    process = company.go_on("unfounded")
    _, talk = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1 and "start it anew" in talk and "Traceback" not in talk
    company.ended(company.command("unfounded").stdout, "unfounded")


def killed_at_random(company: Company, out: str, kills: int, seed: int) -> int:
    """Kill a run again and again, each time a random while after it began to work; returns the kills that hit."""
    dice = np.random.default_rng(seed)
    process, hits = company.begin(out), 0
    for _ in range(kills):
        try:
            process.wait(float(dice.uniform(0.2, 5.0)))
            break  # it came to its end first
        except subprocess.TimeoutExpired:
            company.kill(process, out, everything=bool(dice.integers(2)))
            hits += 1
        founded = events(company.folder / out) > 0
        process = company.go_on(out) if founded else company.begin(out)
    output, talk = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, talk
    company.ended(output, out)
    return hits


def test_three_kills_at_random_instants_leave_the_history_of_an_undisturbed_run(company: Company) -> None:
    assert killed_at_random(company, "killed", 3, seed=1) > 0


@pytest.mark.slow
def test_a_hundred_kills_at_random_instants_leave_the_history_of_an_undisturbed_run(tmp_path: Path) -> None:
    company, hits, n = Company(tmp_path, experiments=12), 0, 0
    while hits < 100:
        company.seen.clear()
        hits += killed_at_random(company, f"out{n}", 12, seed=n)
        n += 1


@pytest.mark.slow
def test_kills_of_a_run_that_really_trains_leave_its_history(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.words = lambda out: [  # type: ignore[method-assign]
        "run", "solo", "--project", "digits", "--experiments", "8", "--slots", "2", "--device", "cpu",
        "--deterministic", "--engine", "direct", "--json", "--out", out,
    ]  # fmt: skip
    import json

    company.peace = json.loads(company.command("digits-whole").stdout)["digest"]
    assert killed_at_random(company, "digits", 5, seed=7) > 0


def test_a_killed_training_is_run_again_and_leaves_no_mark_on_history(company: Company) -> None:
    run = company.folder / "lost"
    process = company.begin("lost")
    for count in (15, 40):
        until(reached(run, count), process)
        victim = until(lambda: _training(process.pid), process)
        os.kill(victim, signal.SIGKILL)
    output, talk = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, talk
    company.ended(output, "lost")
    assert rows(run, "SELECT count(*) FROM attempt WHERE outcome NOT IN ('ok', 'running')")[0][0] >= 1


@pytest.mark.parametrize("who", ["training", pytest.param("warm parent", marks=pytest.mark.slow)])
def test_who_was_stopped_and_continued_leaves_no_mark_on_history(company: Company, who: str) -> None:
    out = f"stopped {who}"
    process = company.begin(out)
    until(reached(company.folder / out, 15), process)
    victim = until(lambda: _training(process.pid) if who == "training" else descendants(process.pid)[0], process)
    os.kill(victim, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[0] == "T", process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    os.kill(victim, signal.SIGCONT)
    output, talk = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, talk
    company.ended(output, out)


def test_of_two_engines_that_go_on_at_once_one_is_refused_and_history_is_the_same(company: Company) -> None:
    process = company.begin("two")
    until(reached(company.folder / "two", 30), process)
    company.kill(process, "two")
    both = [company.go_on("two"), company.go_on("two")]
    ended = [process.communicate(timeout=PATIENCE_S) for process in both]
    codes = [process.returncode for process in both]
    done = [output for (output, _), code in zip(ended, codes, strict=True) if code == 0]
    assert codes.count(0) >= 1, ended
    for (_, talk), code in zip(ended, codes, strict=True):
        assert code == 0 or ("another loopworks process works on this run" in talk and "Traceback" not in talk)
    company.ended(done[0], "two")


def _training(engine: int) -> int | None:
    """The process of a training at work: the youngest below the engine that runs no other."""
    below = descendants(engine)
    leaves = [pid for pid in below if not descendants(pid)]
    return next((pid for pid in reversed(leaves) if _is_training(pid)), None)


def _is_training(pid: int) -> bool:
    try:
        return "experiments/" in "".join(str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False

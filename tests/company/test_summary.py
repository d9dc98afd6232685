"""The object that `loopworks run --json` prints."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from report_kit import hostile, record

from company.compute.backend import Outcome
from company.ledger import Attempt, Ledger, LedgerError
from company.summary import summary
from company.usage import usage


def test_it_keeps_its_contract(tmp_path: Path) -> None:
    state = record(tmp_path)
    found = summary(tmp_path)
    assert found["run_dir"] == str(tmp_path) and found["company"] == "startup" and found["project"] == "planted"
    assert found["seed"] == 0 and len(found["digest"]) == 64 and found["sigma"] > 0
    assert set(found["baseline"]) == {"mean", "n"} and found["baseline"]["n"] == 5
    assert found["champion"]["config_hash"] == state.champion_hash
    assert found["champion"]["metric"] == pytest.approx(state.trail[-1][1])
    assert set(found["holdout"]) == {"baseline", "champion", "gain", "low", "high", "n"}
    assert found["holdout"]["low"] > 0
    counts = found["experiments"]
    assert counts["total"] == counts["ok"] + counts["failed"] + counts["stopped"] + counts["refused"]
    assert set(counts) >= {"duplicate", "replicated"}
    assert set(found["slots"]) >= {"count", "busy_share", "launch_overhead_s"} and found["slots"]["count"] == 2
    assert set(found["agents"][0]) >= {"id", "position", "role", "brain", "status", "experiments", "score"}
    assert isinstance(found["changes"], list)
    assert found["status"] == "closed" and found["reason"] == "the research budget is spent"


@pytest.mark.parametrize("chart", ["startup", "lab", "solo", "committee", "flat"])
def test_it_is_json_without_nan(tmp_path: Path, chart: str) -> None:
    record(tmp_path, chart, decide=hostile)
    json.loads(json.dumps(summary(tmp_path), allow_nan=False))


def test_a_run_that_was_interrupted_says_so(tmp_path: Path) -> None:
    record(tmp_path, most=60)
    found = summary(tmp_path)
    assert found["status"] == "interrupted" and found["holdout"] is None


def test_a_run_whose_baseline_fails_says_why(tmp_path: Path) -> None:
    record(tmp_path, train=lambda run: Outcome("failed", failure="crash", detail="no such file: data.bin"))
    found = summary(tmp_path)
    assert found["status"] == "failed" and "the baseline failed (crash)" in found["reason"]
    assert found["champion"] is None and found["sigma"] is None and found["baseline"]["mean"] is None


def test_an_empty_ledger_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite", write=True).close()
    assert summary(tmp_path)["status"] == "interrupted"
    with pytest.raises(LedgerError, match="no ledger here"):
        summary(tmp_path / "nowhere")


def _attempt(experiment: str, slot: int, started: float, ended: float | None, launch: float = 0.1) -> Attempt:
    return Attempt(experiment, 1, 1, slot, started, ended, "ok", {"launch_s": launch})


def test_slots_are_busy_between_founding_and_closing_only() -> None:
    attempts = [
        _attempt("base", 0, 0, 10),
        _attempt("p1", 0, 10, 15),
        _attempt("p2", 1, 10, 20),
        _attempt("c", 0, 20, 90),
    ]
    found = usage(attempts, [(0.0, 100.0)], 2, {"p1", "p2"}, 20.0, 95.0)
    assert found.busy_share == pytest.approx(15 / 20)
    assert found.launch_s == pytest.approx(0.1) and found.research_s == pytest.approx(10) and found.total_s == 100


def test_time_between_sessions_does_not_count_and_a_killed_launch_ends_with_its_session() -> None:
    attempts = [_attempt("p1", 0, 0, 4), _attempt("p2", 0, 4, None), _attempt("p2", 0, 1000, 1006)]
    found = usage(attempts, [(0.0, 5.0), (1000.0, 1006.0)], 1, {"p1", "p2"}, None, 1006.0)
    assert found.busy_share == pytest.approx(1.0) and found.total_s == pytest.approx(11)


def test_a_session_that_was_killed_ends_with_the_last_thing_known_of_it() -> None:
    attempts = [_attempt("p1", 0, 0, 4), _attempt("p2", 0, 4, None), _attempt("p2", 0, 100, 104)]
    found = usage(attempts, [(0.0, None), (100.0, 104.0)], 1, {"p1", "p2"}, 104.0, 104.0)
    assert found.busy_share == pytest.approx(1.0) and found.total_s == pytest.approx(8)


def test_without_research_there_is_no_busy_share() -> None:
    assert usage([], [], 2, set(), None, 0.0).busy_share is None
    assert not math.isnan(usage([], [(0.0, None)], 0, {"p"}, None, 0.0).total_s)

"""Slots stay busy while agents think: the claim of benchmarks/idle.py, in virtual time."""

from __future__ import annotations

from benchmarks.idle import busy_share, company, loop


def test_models_that_think_for_half_as_long_as_a_run_keep_the_slots_busy_and_the_greedy_loop_does_not() -> None:
    shipped = busy_share(company(60), slots=2, think_s=30, run_s=60)
    greedy = busy_share(loop(60), slots=1, think_s=30, run_s=60)
    assert shipped >= 0.95
    assert 0.6 < greedy < 0.7  # 60 s of each 90


def test_without_proposals_ahead_slots_wait_for_those_who_think() -> None:
    assert busy_share(company(60, ahead=0), slots=2, think_s=30, run_s=60) < 0.7

"""Every role in its own terms: on real runs of the planted project, and on small cases with a known answer."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import cache

import pytest
from core_kit import chart_of, moody, rough_project, rough_trainer

from company import events as ev
from company.engine import Engine
from company.outcomes import discoveries_lost, improved, near_identical, waste
from company.record import Record
from company.scorecards import Appraisal, appraise_everyone, replicated
from company.state import State
from company.testing import drive, offline
from roles.intents import Intent, Verdict
from roles.observation import Observation


@cache
def world(bold: bool = False) -> Engine:

    def decide(state: State, seen: Observation) -> list[Intent]:
        if bold and seen.task == "verdict":  # always certain that it is nothing
            return [Verdict(outcome="noise", p_real=0.0)]
        return moody(state, seen) if seen.task in ("review", "propose") else offline(state, seen)

    return drive(rough_project(), chart_of("committee", 60), rough_trainer(), seed=4, decide=decide)


def cards(bold: bool = False) -> dict[str, Appraisal]:
    return appraise_everyone(world(bold).state)


def test_everyone_is_measured_and_every_part_is_a_finite_number() -> None:
    engine = world()
    assert set(cards()) == set(engine.state.agents)
    for card in cards().values():
        assert card.low <= card.score <= card.high and card.n >= 0
        assert all(isinstance(part, float) and math.isfinite(part) for part in card.parts.values())
        json.dumps(asdict(card))


def test_a_company_that_has_done_nothing_knows_nothing() -> None:
    engine = Engine(rough_project())
    engine.found(chart_of("startup"), 0, 1)
    for card in appraise_everyone(engine.state).values():
        assert card.score == pytest.approx(0, abs=1e-12) and card.n == 0


def test_reviewers_who_vote_by_lot_are_no_better_than_the_base_rate() -> None:
    for who in ("eve", "fay", "gus"):
        card = cards()[who]
        assert card.n > 10 and card.high < 0.02
        assert card.parts["refused"] > 0 and card.parts["waste_passed"] > 0
        parts = card.parts
        whole = parts["improves_reliability"] - parts["improves_resolution"] + parts["improves_uncertainty"]
        assert parts["improves_brier"] == pytest.approx(whole, abs=0.02)


def test_an_engineer_is_credited_with_repairs_that_ended_well() -> None:
    engine = world()
    saved = [
        id_
        for id_, work in engine.state.record.work.items()
        if work.repaired_by == "dan" and engine.state.experiments[id_].status == "ok"
    ]
    dan = cards()["dan"]
    assert saved and dan.parts["repaired"] == len(saved)
    assert dan.parts["crashes"] >= len(saved) and dan.score > 0 and dan.parts["throughput"] > 0


def test_a_managers_regret_and_its_two_by_two_add_up() -> None:
    ada = cards()["ada"]
    assert ada.parts["regret"] >= 0 and ada.score == pytest.approx(ada.parts["equal_regret"] - ada.parts["regret"])
    table = [ada.parts[cell] for cell in ("followed_improved", "followed_not", "other_improved", "other_not")]
    assert sum(table) == ada.parts["directed"]


def test_what_was_never_settled_scores_nobody() -> None:
    engine = world()
    for e in engine.state.experiments.values():
        if e.purpose != "proposal" or e.failure == "infrastructure" or e.status == "refused":
            assert improved(e) is None
        assert replicated(e) is None or e.replications
    assert any(improved(e) for e in engine.state.experiments.values())


def test_a_reviewer_who_calls_everything_noise_loses_discoveries_only_where_a_twin_proved_them() -> None:
    engine = world(bold=True)
    assert not [e for e in engine.state.experiments.values() if e.standing]
    assert discoveries_lost(engine.state) == frozenset()
    one, twin = [e for e in engine.state.experiments.values() if e.purpose == "proposal" and e.status == "ok"][:2]
    twin.config, twin.unit, twin.standing = {**one.config}, one.unit, "champion"
    try:
        assert near_identical(one, twin, engine.state)
        assert one.id in discoveries_lost(engine.state) and twin.id not in discoveries_lost(engine.state)
    finally:
        world.cache_clear()


def test_waste_is_what_failed_or_ended_in_the_worst_quarter() -> None:
    engine = world()
    found = waste(engine.state)
    for id_ in found:
        e = engine.state.experiments[id_]
        assert e.purpose == "proposal" and e.failure != "infrastructure"
    own = [e for e in engine.state.experiments.values() if e.purpose == "proposal" and e.status == "failed"]
    assert {e.id for e in own if e.failure != "infrastructure"} <= found


def test_tokens_are_counted_for_whoever_used_them() -> None:
    record = Record()
    for _ in range(2):
        record.apply(ev.DecisionMade("d1", "bob", "propose", [], "", {"tokens": 120}))
    assert record.tokens == {"bob": 240}

"""What holds whatever the people and the world do: hostile, silent, stubborn or broken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from core_kit import chart_of, eventful_chart, moody, quiet, rough_project, rough_trainer, stored
from hypothesis import given
from hypothesis import strategies as st

from company import events as ev
from company.chaining import payload
from company.chart import OrgChart
from company.compute.backend import Outcome
from company.engine import Cancel, Consult, Decided, Ended, Engine, Launch, RungSeen, Step
from company.entities import FINISHED
from company.ledger import Ledger
from company.state import State
from company.testing import Decide, Rehearsal, Run, Trainer, drive, offline
from roles.intents import (
    Approve,
    Assign,
    Build,
    Coach,
    Continue,
    Digest,
    GiveUp,
    Intent,
    Keep,
    Propose,
    Refuse,
    Replace,
    Retry,
    Stop,
    Verdict,
)
from roles.observation import Observation
from roles.streams import stream

PROJECT, TRAIN = rough_project(), rough_trainer()
NASTY = "\x00\x1b[31m\ud800 ‮'; DROP TABLE event; -- {{7*7}} <script>" + "x" * 5_000


class Auditor:
    """Looks at every event as it happens and objects to what must never be."""

    def __init__(self) -> None:
        self.state = State()
        self.finished: set[str] = set()
        self.rungs: dict[str, int] = {}

    def see(self, step: Step) -> None:
        for at, event in step.events:
            self._see(at, stored(event))
        stopped = {
            e.experiment for _, e in step.events if isinstance(e, ev.ExperimentFinished) and e.status == "stopped"
        }
        assert stopped == {effect.experiment for effect in step.effects if isinstance(effect, Cancel)}

    def _see(self, at: float, event: ev.Event) -> None:
        state, champion = self.state, self.state.champion
        assert at >= state.now
        if isinstance(event, ev.DecisionRequested):
            agent = state.agents[event.agent]
            assert agent.status != "left" and state.holder[agent.position] == event.agent
        if isinstance(event, ev.DecisionMade):
            assert event.decision in state.decisions
        if isinstance(event, ev.ExperimentStarted):
            assert event.slot not in state.running and event.slot < state.slots
            self.rungs[event.experiment] = 0
        if isinstance(event, ev.RungReached):
            assert event.rung == self.rungs[event.experiment]
            self.rungs[event.experiment] += 1
        if isinstance(event, (ev.ExperimentFinished, ev.ExperimentRefused)):
            assert event.experiment not in self.finished
            self.finished.add(event.experiment)
        if isinstance(event, ev.ProposalDropped) and event.hash:
            assert event.hash in state.by_hash
        state.apply(event, at)
        if not isinstance(event, (ev.ChampionChosen, ev.NoiseMeasured)):
            assert state.champion == champion
        assert len(set(state.running.values())) == len(state.running)
        assert all(state.agents[p.agent].status != "left" for p in state.decisions.values()) or isinstance(
            event, ev.AgentHired
        )
        self._count_the_money()

    def _count_the_money(self) -> None:
        state = self.state
        budget = state.chart.budget
        assert budget.experiments is None or state.admitted <= budget.experiments + 1e-9
        assert budget.slot_seconds is None or state.admitted_cost <= budget.slot_seconds + 1e-9

    def close(self, engine: Engine) -> None:
        state = engine.state
        assert state.phase == "closed" and state.closed is not None
        assert not state.decisions and not state.running and not state.under_way and not state.queue
        assert all(e.status in FINISHED for e in state.experiments.values())
        assert self.finished == set(state.experiments)
        assert not engine.outstanding()


def audited(chart: OrgChart, decide: Decide = offline, train: Trainer = TRAIN, seed: int = 0, slots: int = 1) -> Engine:
    auditor = Auditor()
    engine = drive(
        PROJECT, chart, train, seed=seed, slots=slots, decide=decide, on_step=auditor.see, most=6000
    )  # fmt: skip
    auditor.close(engine)
    return engine


FAILURES = ["diverged", "out_of_memory", "timeout", "crash", "bad_output", "evaluation", "infrastructure"]
TEXT = st.sampled_from(["", "fine", NASTY])
NUMBER = st.sampled_from([0.0, 1.0, -1e308, math.nan, math.inf, 10**400, 10**5000, True, "a", "b", 16, 16.0, 0.01, 128])
AGENT = st.sampled_from(["ada", "bob", "cleo", "bob_2", "dan", "eve", "nobody", "", NASTY])
CONFIG = st.one_of(
    st.fixed_dictionaries({"lr": st.floats(1e-5, 1.0), "width": st.sampled_from([16, 128]), "act": st.just("b")}),
    st.dictionaries(st.sampled_from(["lr", "width", "act", "seed", "\ud800"]), NUMBER),
)
UNIT = st.floats(0, 1)
INTENTS: dict[str, st.SearchStrategy[list[Intent]]] = {
    "propose": st.lists(
        st.builds(Propose, config=CONFIG, predicted=st.one_of(st.none(), st.floats()), reason=TEXT), max_size=2
    ),
    "review": st.lists(st.one_of(st.builds(Approve, p_improves=UNIT), st.builds(Refuse, p_improves=UNIT, reason=TEXT))),
    "build": st.lists(st.builds(Build, micro_batch=st.one_of(st.none(), st.integers(1)), reason=TEXT), max_size=1),
    "repair": st.lists(
        st.one_of(st.builds(Retry, reason=TEXT), st.builds(GiveUp, failure=st.sampled_from(FAILURES))), max_size=1
    ),
    "watch": st.lists(st.one_of(st.builds(Stop, reason=TEXT), st.just(Continue())), max_size=2),
    "verdict": st.lists(
        st.builds(Verdict, outcome=st.sampled_from(["promising", "noise"]), p_real=UNIT, reason=TEXT), max_size=2
    ),
    "plan": st.lists(
        st.one_of(
            st.builds(Assign, agent=AGENT, share=UNIT, focus=st.just(("lr", "nope")), reason=TEXT),
            st.builds(Digest, text=TEXT),
        ),
        max_size=6,
    ),
    "appraise": st.lists(
        st.one_of(
            st.builds(Replace, agent=AGENT, because=TEXT),
            st.builds(Coach, agent=AGENT, advice=TEXT, params=st.dictionaries(TEXT, st.floats())),
            st.builds(Keep, agent=AGENT),
        ),
        max_size=6,
    ),
}
OUTCOME = st.one_of(
    st.builds(Outcome, st.just("ok"), metric=st.one_of(st.floats(), st.floats(-10, 10), st.none())),
    st.builds(Outcome, st.sampled_from(["failed", "lost"]), failure=st.sampled_from([None, *FAILURES]), metric=UNIT),
    st.builds(
        Outcome, st.just("ok"), metric=st.floats(-10, 10), detail=TEXT,
        curve=st.lists(st.tuples(st.integers(0, 300), st.floats()), max_size=4).map(tuple),
        measured=st.just({"seconds": math.nan, "deep": {"a": [math.inf, NASTY]}}),
    ),
)  # fmt: skip
REVIEWS = st.sampled_from([{"rule": "single"}, {"rule": "all"}, {"rule": "any"}, {"rule": "2-of-3"}])


@st.composite
def charts(draw: st.DrawFn) -> OrgChart:
    few = {"baselines": draw(st.integers(2, 3))}
    chart = chart_of(
        "committee", draw(st.integers(1, 7)), found=few, close={"seeds": 2}, review=draw(REVIEWS),
        assign={"every": draw(st.integers(1, 3)), "ahead": draw(st.integers(0, 3))},
        accept={"rule": draw(st.sampled_from(["replicate", "greedy"])), "fresh_seeds": draw(st.integers(1, 3))},
        appraise={"every": draw(st.integers(0, 3)), "after": 1},
        replace={"rule": draw(st.sampled_from(["never", "random", "posterior"])), "confidence": 0.51},
    )  # fmt: skip
    seconds = draw(st.one_of(st.none(), st.floats(0.5, 12.0)))
    return chart.model_copy(update={"budget": chart.budget.model_copy(update={"slot_seconds": seconds})})


@quiet(40)
@given(st.data(), charts(), st.integers(1, 4), st.integers(0, 1000))
def test_a_company_closes_in_good_order_whatever_is_decided_and_measured(
    data: st.DataObject, chart: OrgChart, slots: int, seed: int
) -> None:
    outcomes: dict[tuple[str, int], Outcome] = {}

    def decide(state: State, observation: Observation) -> list[Intent]:
        return data.draw(INTENTS[data.draw(st.sampled_from([observation.task] * 9 + list(INTENTS)))])

    def train(run: Run) -> Outcome:
        key = getattr(run, "id", ""), run.attempt
        if key not in outcomes:
            outcomes[key] = data.draw(OUTCOME)
        return outcomes[key]

    audited(chart, decide, train, seed, slots)


@quiet(12)
@given(charts(), st.integers(1, 5), st.integers(0, 10**6))
def test_a_moody_company_closes_in_good_order(chart: OrgChart, slots: int, seed: int) -> None:
    audited(chart, moody, TRAIN, seed, slots)


def always(task: str, answer: Callable[[Observation], list[Intent]]) -> Decide:
    return lambda state, seen: answer(seen) if seen.task == task else offline(state, seen)


def anything(seen: Observation) -> list[Intent]:
    return [Propose(config=seen.space.sample(stream(seen.root_seed, seen.agent, "any", seen.turn)))]


NOBODY: dict[str, tuple[Decide, str]] = {
    "refuses everything": (always("review", lambda seen: [Refuse(p_improves=0.0, reason="no")]), "turned down"),
    "never proposes": (always("propose", lambda seen: []), "duplicate"),
    "proposes the same": (always("propose", lambda seen: [Propose(config=seen.baseline)]), "duplicate"),
    "proposes rubbish": (always("propose", lambda seen: [Propose(config={"lr": math.inf, NASTY: 1})]), "duplicate"),
}


@pytest.mark.parametrize("decide", NOBODY)
def test_a_company_that_tries_nothing_new_ends_and_says_why(decide: str) -> None:
    engine = audited(chart_of("startup", 10), NOBODY[decide][0])
    assert not any(e.purpose == "proposal" and e.status == "ok" for e in engine.state.experiments.values())
    assert NOBODY[decide][1] in engine.state.ended_because
    holdout = engine.state.holdout
    assert holdout is not None and holdout.gain == 0.0


def test_an_engineer_who_always_retries_does_not_hold_a_slot_for_ever() -> None:
    def broken(run: Run) -> Outcome:
        return Outcome("failed", failure="crash") if getattr(run, "purpose", "") == "proposal" else TRAIN_WELL(run)

    chart = chart_of("startup", 6)
    engine = audited(chart, always("repair", lambda seen: [Retry(micro_batch=1)]), broken)
    tried = [e for e in engine.state.experiments.values() if e.purpose == "proposal"]
    assert len(tried) == 6 and all(e.status == "failed" and e.attempt == 6 for e in tried)


def TRAIN_WELL(run: Run) -> Outcome:
    return Outcome("ok", metric=float(stream(run.seed, "well", "").random()))


def test_silence_is_no_veto_and_stops_nothing() -> None:
    silent: Decide = lambda state, seen: anything(seen) if seen.task == "propose" else []  # noqa: E731
    engine = audited(chart_of("committee", 8), silent, TRAIN_WELL)
    assert sum(e.purpose == "proposal" and e.status == "ok" for e in engine.state.experiments.values()) > 0
    assert engine.state.ended_because == "the research budget is spent"


def test_everyone_may_be_replaced_at_once_until_the_pool_is_empty() -> None:
    chart = chart_of("startup", 24, appraise={"every": 1, "after": 1}, replace={"rule": "random"}, assign={"ahead": 2})
    purge = always("appraise", lambda seen: [Replace(agent=r.agent) for r in seen.reports])
    engine = audited(chart, purge, TRAIN_WELL)
    left = [agent for agent in engine.state.agents.values() if agent.status == "left"]
    assert len(left) == sum(talent.count for talent in chart.talent) == 4
    assert all(agent.role == "researcher" for agent in left)


def test_a_number_written_in_two_ways_is_one_config() -> None:
    ways: list[dict[str, Any]] = [{"lr": 1, "width": 16, "act": "a"}, {"act": "a", "width": 16, "lr": 1.0}]
    decide = always("propose", lambda seen: [Propose(config=ways[seen.turn % 2])])
    state = audited(chart_of("solo", 3), decide).state
    assert sum(e.purpose == "proposal" for e in state.experiments.values()) == 1
    assert state.duplicates > 0


def test_the_budget_is_never_exceeded_by_confirming_gains() -> None:
    """Proposals that are being prepared when a replication takes the last of the budget are turned down."""
    excited = always("verdict", lambda seen: [Verdict(outcome="promising", p_real=1.0)])
    refused = 0
    for seed in range(6):
        state = audited(chart_of("startup", 5), excited, TRAIN_WELL, seed, slots=4).state
        refused += sum(e.status == "refused" and "budget" in e.detail for e in state.experiments.values())
    assert refused > 0


def stale(engine: Engine, effect: Launch) -> list[Any]:
    """Completions that must change nothing."""
    experiment = engine.state.experiments[effect.experiment]
    fine = Outcome("ok", metric=-99.0)
    done = next(e.id for e in engine.state.experiments.values() if e.status in FINISHED)
    return [
        Decided("d99999", [Stop()]),
        Decided("d1", [Propose(config={})]),
        Ended(effect.experiment, effect.attempt + 1, fine),
        Ended(effect.experiment, effect.attempt - 1, fine),
        Ended("e9999", 1, fine),
        Ended(done, engine.state.experiments[done].attempt, fine),
        RungSeen(effect.experiment, effect.attempt + 1, len(experiment.curve), 1, 1.0),
        RungSeen(effect.experiment, effect.attempt, len(experiment.curve) + 1, 1, 1.0),
        RungSeen(effect.experiment, effect.attempt, len(experiment.curve), 1, math.nan),
        RungSeen(effect.experiment, effect.attempt, len(experiment.curve) - 1, 1, 1.0),
        RungSeen(done, 1, 0, 1, 1.0),
    ]


def test_a_completion_that_is_out_of_date_changes_nothing() -> None:
    engine = Engine(PROJECT)
    rehearsal = Rehearsal(engine, TRAIN, moody)
    rehearsal.follow(engine.found(eventful_chart(), 14, 2))
    looked = 0
    while rehearsal.advance() is not None:
        running = next((e for e in rehearsal.outstanding if isinstance(e, Launch)), None)
        if running is None or engine.state.phase != "research":
            continue
        before = engine.state.seq
        for completion in stale(engine, running):
            step = engine.handle(completion, engine.state.now + 1e6)
            assert step.events == [] and step.effects == []
        assert engine.state.seq == before
        looked += 1
    assert looked > 20


def test_a_run_that_failed_is_never_recorded_as_a_success() -> None:
    def lying(run: Run) -> Outcome:
        if getattr(run, "purpose", "") == "proposal":
            return Outcome("failed", metric=-100.0)
        return TRAIN_WELL(run)

    engine = audited(chart_of("solo", 4), train=lying)
    assert {e.status for e in engine.state.experiments.values() if e.purpose == "proposal"} == {"failed"}


def test_a_baseline_that_fails_ends_the_run_with_its_reason() -> None:
    engine = audited(chart_of("startup"), train=lambda run: Outcome("failed", failure="crash", detail="no module x"))
    closed = engine.state.closed
    assert closed is not None and closed.failed
    assert "crash" in closed.reason and "e0001" in closed.reason


def test_a_verdict_on_an_earlier_attempt_does_not_stop_a_later_one() -> None:
    engine = Engine(PROJECT)
    wide = {"lr": 0.01, "width": 128, "act": "b"}
    chart = chart_of("startup", 1, found={"baselines": 2}, review={"rule": "single"})
    late: list[str] = []

    def decide(state: State, seen: Observation) -> list[Intent]:
        if seen.task == "repair":
            return [Retry(micro_batch=8)]
        return [Propose(config=wide)] if seen.task == "propose" else offline(state, seen)

    rehearsal = Rehearsal(engine, lambda run: TRAIN_WELL(run), decide)
    rehearsal.follow(engine.found(chart, 0, 1))
    while not any(e.purpose == "proposal" and e.status == "running" for e in engine.state.experiments.values()):
        rehearsal.advance()
    running = next(e for e in engine.state.experiments.values() if e.status == "running")
    step = engine.handle(RungSeen(running.id, 1, 0, 1, 1.0), running.started_at + running.cost / 4)
    late += [effect.decision for effect in step.effects if isinstance(effect, Consult)]
    engine.handle(Ended(running.id, 1, Outcome("failed", failure="crash")), running.started_at + running.cost)
    repair = next(p for p in engine.state.decisions.values() if p.task == "repair")
    engine.handle(Decided(repair.id, [Retry(micro_batch=8)]), engine.state.now)
    assert running.status == "running" and running.attempt == 2
    engine.handle(Decided(late[0], [Stop(reason="hopeless")]), engine.state.now)
    assert running.status == "running"


def test_what_agents_write_is_stored_safely(tmp_path: Any) -> None:
    """Control characters, lone surrogates, endless text and numbers that JSON cannot hold, all the way to the disk."""
    ledger = Ledger(tmp_path / "ledger.sqlite", write=True)

    def nasty(state: State, seen: Observation) -> list[Intent]:
        if seen.task == "propose" and seen.turn % 2:
            return [Propose(config={NASTY: math.nan, "lr": 10**400, "width": NASTY}, predicted=math.inf, reason=NASTY)]
        answers: dict[str, Intent] = {
            "propose": Propose(config=seen.space.sample(seen.rng("x")), predicted=math.nan, reason=NASTY),
            "review": Approve(p_improves=0.5, reason=NASTY),
            "build": Build(reason=NASTY),
            "verdict": Verdict(outcome="promising", p_real=0.5, reason=NASTY),
            "plan": Digest(text=NASTY),
            "appraise": Coach(agent="bob", advice=NASTY, because=NASTY, params={NASTY: 1.0, "step": math.nan}),
        }
        return [answers[seen.task]] if seen.task in answers else offline(state, seen)

    steps: list[Step] = []
    engine = drive(
        PROJECT, chart_of("startup", 6, appraise={"every": 2, "after": 1}), TRAIN, decide=nasty, on_step=steps.append
    )
    for step in steps:
        ledger.append(step.events, engine.state)
    assert ledger.verify() == engine.state.seq
    assert ledger.fold().seq == engine.state.seq
    for recorded in ledger.events():
        text = json.dumps(payload(recorded.event), ensure_ascii=False)
        assert len(text) < 60_000 and not any(c in text for c in "\x00\x1b\ud800\u202e") and "\\u0000" not in text
    ledger.close()

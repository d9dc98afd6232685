"""The heart of durability: state is a fold, and a run that was interrupted anywhere ends as one that never was."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_kit import (
    chart_of,
    differences,
    digest_of,
    eventful_chart,
    moody,
    quiet,
    rash,
    rough_project,
    rough_trainer,
    stored,
)
from hypothesis import given
from hypothesis import strategies as st

from company import events as ev
from company.chaining import chained, restore
from company.chart import OrgChart
from company.chart_yaml import shipped_charts
from company.engine import Engine, Step
from company.ledger import Ledger
from company.state import State
from company.testing import Decide, Rehearsal, offline

PROJECT, TRAIN = rough_project(), rough_trainer()


def undisturbed(chart: OrgChart, seed: int, slots: int, decide: Decide) -> list[Step]:
    rehearsal = Rehearsal(Engine(PROJECT), TRAIN, decide)
    steps: list[Step] = []
    step: Step | None = rehearsal.follow(rehearsal.engine.found(chart, seed, slots))
    while step is not None:
        steps.append(step)
        step = rehearsal.advance()
    assert rehearsal.engine.state.phase == "closed"
    return steps


def kinds(steps: list[Step]) -> set[str]:
    return {event.kind for step in steps for _, event in step.events}


EVENTFUL = [(5, 1), (5, 3)]  # (seed, slots); test_the_eventful_runs_are_eventful says what they hold


def test_the_eventful_runs_are_eventful() -> None:
    """The exhaustive tests below are worth what happens in their runs."""
    found: set[str] = set()
    retried = stopped = several = False
    for seed, slots in EVENTFUL:
        steps = undisturbed(eventful_chart(), seed, slots, moody)
        events = [event for step in steps for _, event in step.events]
        found |= kinds(steps)
        retried |= any(isinstance(e, ev.ExperimentStarted) and e.attempt > 1 for e in events)
        stopped |= any(isinstance(e, ev.ExperimentFinished) and e.status == "stopped" for e in events)
        several |= any(isinstance(e, ev.ExperimentStarted) and e.slot > 0 for e in events)
    assert retried and stopped and several
    by_people = {"CommandAnswered", "RunPaused", "RunContinued", "ApprovalAsked", "ApprovalGiven"}
    of_models = {"HarnessVersioned", "AgentPaused", "AgentReturned", "ModelBudgetSpent"}
    of_patches = {"CodeWritten", "ExperimentPatched", "RepairRefused", "NoteWritten"}
    elsewhere = by_people | of_models | of_patches | {"RevisionChecked"}  # test_interventions, ..., test_restructuring
    assert found >= set(ev.EVENTS) - elsewhere


@pytest.mark.parametrize(("seed", "slots"), EVENTFUL)
def test_after_every_step_the_folded_events_are_the_state_and_the_outstanding_work(seed: int, slots: int) -> None:
    engine, folded = Engine(PROJECT), State()
    rehearsal = Rehearsal(engine, TRAIN, moody)
    step: Step | None = rehearsal.follow(engine.found(eventful_chart(), seed, slots))
    while step is not None:
        for at, event in step.events:
            assert stored(event) == event
            folded.apply(stored(event), at)
        assert differences(engine.state, folded) == []
        again = Rehearsal(Engine(PROJECT, folded), TRAIN, moody)
        assert sorted(map(repr, again.outstanding)) == sorted(map(repr, rehearsal.outstanding))
        step = rehearsal.advance()
    assert engine.state.phase == "closed"


@pytest.mark.parametrize(("seed", "slots"), EVENTFUL)
def test_a_run_resumed_after_any_step_ends_as_the_undisturbed_one(tmp_path: Path, seed: int, slots: int) -> None:
    chart = eventful_chart()
    expected = digest_of(undisturbed(chart, seed, slots, moody))
    writer = Ledger(tmp_path / "ledger.sqlite", write=True)
    reader = Ledger(writer.path)
    first = Rehearsal(Engine(PROJECT), TRAIN, moody)
    step: Step | None = first.follow(first.engine.found(chart, seed, slots))
    while step is not None:
        writer.append(step.events, first.engine.state)
        resumed = Rehearsal(Engine(PROJECT, reader.fold()), TRAIN, moody)
        rest: list[Step] = []
        while (after := resumed.advance()) is not None:
            rest.append(after)
        assert digest_of(rest, writer.digest) == expected, f"resumed after event {writer.seq}"
        step = first.advance()
    assert writer.digest == expected
    reader.close()
    writer.close()


@quiet(12)
@given(
    st.sampled_from(shipped_charts()), st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([offline, rash, moody])
)
def test_a_run_killed_after_every_single_step_ends_as_the_undisturbed_one(
    name: str, seed: int, slots: int, decide: Decide
) -> None:
    hasty = {"assign": {"every": 3}, "watch": {"after": 3}}
    if name != "solo":
        hasty |= {"appraise": {"every": 3, "after": 2}, "replace": {"rule": "bottom" if seed % 2 else "posterior"}}
    chart = chart_of(name, 8, found={"baselines": 2}, close={"seeds": 2}, **hasty)
    expected = undisturbed(chart, seed, slots, decide)
    events: list[tuple[float, ev.Event]] = []
    steps: list[Step] = []
    step: Step | None = Engine(PROJECT).found(chart, seed, slots)
    while step is not None:
        steps.append(step)
        events += [(at, stored(event)) for at, event in step.events]
        state = State()
        for at, event in events:
            state.apply(event, at)
        step = Rehearsal(Engine(PROJECT, state), TRAIN, decide).advance()
    assert digest_of(steps) == digest_of(expected)


def test_an_event_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError, match="Sabotage"):
        restore("Sabotage", {})


def test_what_was_measured_is_no_part_of_the_digest() -> None:
    slow, fast = (
        ev.ExperimentFinished("e0001", "ok", 1.0, None, "", 2.0, [], {"seconds": seconds}) for seconds in (9.0, 1.0)
    )
    other = ev.ExperimentFinished("e0001", "ok", 1.5, None, "", 2.0, [], {"seconds": 9.0})
    assert chained("", [(1.0, slow)]) == chained("", [(1.0, fast)]) != chained("", [(1.0, other)])
    assert chained("", [(1.0, slow)]) != chained("", [(2.0, slow)])

"""A company that changes its code is a fold like any other: killed anywhere, it ends as one that never was."""

from __future__ import annotations

from pathlib import Path

import pytest
from patching_kit import Company, gain, replace, small_chart

from company.chaining import chained
from company.engine import Engine, Step
from company.ledger import Ledger
from company.state import State
from company.testing import Rehearsal, offline
from roles.intents import Intent, Note
from roles.observation import Observation

BROKEN, MENDED = replace("    total = 0.0", "    total = boom"), replace("    total = boom", "    total = 0.0 - 0")
BY_TURN = {
    "propose": [BROKEN, gain(7.0, 8.0), gain(0.0, 0.5), gain(0.0, 0.4), None, gain(0.5, 0.9), None, gain(0.0, 0.1)],
    "repair": [replace("no such line", "x"), MENDED],
}


def by_turn(state: State, seen: Observation) -> list[Intent]:
    """Patches by how often somebody was asked, so that whoever goes on decides the same."""
    turns = BY_TURN.get(seen.task, [])
    intent = turns[seen.turn] if seen.turn < len(turns) else None
    if seen.task == "verdict":
        return [Note(text=f"note {seen.turn}"), *offline(state, seen)]
    return offline(state, seen) if intent is None else [intent]


class Steady(Company):
    def _decide(self, state: State, seen: Observation) -> list[Intent]:
        return by_turn(state, seen)


def chain(steps: list[Step], digest: str = "") -> str:
    for step in steps:
        digest = chained(digest, step.events)
    return digest


def rest_of(company: Rehearsal) -> list[Step]:
    steps: list[Step] = []
    while (step := company.advance()) is not None:
        steps.append(step)
    return steps


@pytest.mark.parametrize("slots", [1, 3])
def test_a_run_with_patches_resumed_after_any_step_ends_as_the_undisturbed_one(tmp_path: Path, slots: int) -> None:
    chart = small_chart(9)
    undisturbed = Steady(chart, {}).run(slots)
    kinds = {event.kind for step in undisturbed for _, event in step.events}
    assert kinds >= {"CodeWritten", "ExperimentPatched", "RepairRefused", "NoteWritten", "ProposalDropped"}
    expected = chain(undisturbed)
    writer = Ledger(tmp_path / "ledger.sqlite", write=True)
    reader = Ledger(writer.path)
    first = Steady(chart, {})
    step: Step | None = first.follow(first.engine.found(chart, 0, slots))
    while step is not None:
        writer.append(step.events, first.engine.state)
        resumed = Steady(chart, {}, state=reader.fold())
        assert resumed.engine.state.codes == first.engine.state.codes
        assert chain(rest_of(resumed), writer.digest) == expected, f"resumed after event {writer.seq}"
        step = first.advance()
    reader.close()
    writer.close()


def test_a_company_that_takes_no_patches_says_so_in_its_history() -> None:
    engine = Engine(Steady(small_chart(), {}).engine.project)
    founded = engine.found(small_chart(), 0, 1, no_patches="there is no sandbox")
    assert founded.events[0][1].project["no_patches"] == "there is no sandbox"  # type: ignore[attr-defined]
    company = Steady(small_chart(3), {}, state=None)
    company.engine = engine
    seen = [s for s in _observed(company, founded) if s.task == "propose"]
    assert seen and all(s.code == {} and "there is no sandbox" in s.code_rules for s in seen)
    assert not engine.state.codes


def _observed(company: Steady, founded: Step) -> list[Observation]:
    kept: list[Observation] = []

    def decide(state: State, seen: Observation) -> list[Intent]:
        kept.append(seen)
        return [gain(0.0, 0.5)] if seen.task == "propose" and seen.turn < 2 else offline(state, seen)

    rehearsal = Rehearsal(company.engine, company._train, decide)
    rehearsal.follow(founded)
    rest_of(rehearsal)
    return kept

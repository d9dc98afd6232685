"""The notebook: what is in it, who may read it, and which part of it."""

from __future__ import annotations

from collections import Counter

from core_kit import chart_of, four_researchers, rough_project, rough_trainer

from company.chart import OrgChart
from company.engine import Engine
from company.entities import Noted, Pending
from company.notebook import CHARACTERS, LONGEST, RECENCY, Entry, entries, notes_for, outcome, select, tried
from company.state import State
from company.testing import drive, planted_project, planted_trainer


def entry(text: str, results: int = 0) -> Entry:
    return Entry(text, Counter(text.split()), results)


def finished(chart: OrgChart | None = None) -> State:
    return drive(planted_project(), chart or four_researchers(30), planted_trainer()).state


def test_what_bears_on_the_question_comes_first() -> None:
    found = [entry("dropout hurts"), entry("warmup longer helps"), entry("depth changes nothing")]
    assert select(found, "more warmup", now=0)[0] == "warmup longer helps"


def test_of_what_bears_alike_the_recent_comes_first() -> None:
    found = [entry("old one", 10), entry("new one", 90)]
    assert select(found, "", now=100) == ("new one", "old one")


def test_a_relevant_old_entry_goes_before_an_irrelevant_new_one() -> None:
    found = [entry("warmup longer helps", 0), *(entry(f"something else {n}", 100) for n in range(9))]
    assert RECENCY < 1 and select(found, "warmup longer", now=100)[0] == "warmup longer helps"


def test_what_every_entry_says_finds_none_of_them() -> None:
    found = [entry("gain sigma dropout", 1), entry("gain sigma sigma gain", 2)]
    assert select(found, "gain sigma dropout", now=2)[0] == "gain sigma dropout"


def test_no_more_is_told_than_the_tokens_allow() -> None:
    found = [entry(f"entry number {n} " + "x" * 80) for n in range(50)]
    told = select(found, "", now=0, tokens=100)
    assert 0 < sum(map(len, told)) <= 100 * CHARACTERS
    assert select(found, "", now=0, tokens=0) == ()


def test_a_finding_says_what_was_changed_against_what_and_the_gain_with_its_interval() -> None:
    state = finished()
    first = next(e for e in state.experiments.values() if e.purpose == "proposal" and e.metric is not None)
    assert first.metric is not None and state.baseline_mean is not None
    changed = {n: v for n, v in first.config.items() if v != state.brief["baseline"][n]}
    text = f"{tried(state, first)}: {outcome(state, first)}"
    for name, value in changed.items():
        assert f"{name} {state.brief['baseline'][name]} -> {value}" in text
    fresh = state.fresh_values(first.id)
    measured = sum(fresh) / len(fresh) if fresh else first.metric
    assert f"gain {(state.baseline_mean - measured) / state.sigma:+.1f} sigma [" in text
    assert "against e0001" in text


def test_a_failure_is_a_finding_too() -> None:
    state = drive(rough_project(), four_researchers(80), rough_trainer()).state
    told = [found.text for found in entries(state, "ada")]
    assert any("out_of_memory" in text or "crash: ZeroDivisionError" in text for text in told)
    assert all(len(text) <= LONGEST and "\n" not in text for text in told)


def test_findings_and_notes_are_read_along_the_charts_communication() -> None:
    apart = finished(chart_of("startup", 20).model_copy(update={"communication": "solo"}))
    apart.notebook.append(Noted("cleo", "cleo", "a secret", 0))
    together = finished(chart_of("startup", 20))
    together.notebook.append(Noted("cleo", "cleo", "no secret", 0))
    own = {e.id for e in apart.experiments.values() if e.proposer == "bob" and e.purpose == "proposal"}
    told = [found.text for found in entries(apart, "bob")]
    assert told and all(any(experiment in text for experiment in own) for text in told)
    assert "cleo notes: no secret" in [found.text for found in entries(together, "bob")]
    assert "cleo notes: a secret" in [found.text for found in entries(apart, "ada")], "a manager sees its team"


def test_a_decision_is_not_told_of_its_own_experiment() -> None:
    state = finished()
    subject = next(e for e in state.experiments.values() if e.purpose == "proposal" and e.metric is not None)
    told = notes_for(state, state.agents["eve"], Pending("d1", "eve", "verdict", subject.id, 0, 0.0), tokens=10_000)
    assert told and not any(f", {subject.id}:" in text for text in told)


def test_a_new_company_has_an_empty_notebook() -> None:
    engine = Engine(planted_project())
    engine.found(chart_of("startup"), 0, 1)
    assert list(entries(engine.state, "bob")) == []

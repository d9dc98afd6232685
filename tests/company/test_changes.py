"""What is said of each change: known, predicted, happened, undone, with the numbers of the events."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from core_kit import chart_of, eventful_chart, four_researchers, moody, rash, rough_project, rough_trainer
from report_kit import HOSTILE, hostile, record
from test_interventions import Person, running
from test_trials import company as tried
from test_trials import hopeless

from company import events as ev
from company.account import read_run
from company.appraisal import difference
from company.changes import Change, Moment, changes_of
from company.engine import Engine
from company.narration import narrate
from company.report import report_text
from company.report_people import UNCHANGED
from company.state import State
from company.summary import summarise
from company.testing import drive, planted_project, planted_trainer


@cache
def managed(trial: int = 0) -> tuple[State, tuple[Moment, ...]]:
    """Bob proposes terrible configs, is coached and replaced."""
    moments: list[Moment] = []
    chart = four_researchers(80, appraise={"every": 5, "after": 3}, hire={"trial": trial})
    engine = drive(
        planted_project(), chart, planted_trainer(), decide=rash, on_step=lambda step: moments.extend(step.events)
    )
    return engine.state, tuple(moments)


def of(moments: tuple[Moment, ...], kind: type[ev.Event]) -> list:
    return [event for _, event in moments if isinstance(event, kind)]


def only(found: list[Change], kind: str, who: str) -> Change:
    return next(change for change in found if (change.kind, change.who) == (kind, who))


def test_a_replacement_says_what_was_known_expected_and_what_it_gave() -> None:
    state, moments = managed()
    event = next(each for each in of(moments, ev.AgentReplaced) if each.leaving == "bob")
    change = only(changes_of(state, moments), "replacement", "bob")
    for name in ("worth", "low", "high"):
        assert f"{event.evidence[name]:+.2f}" in change.known
    assert f"after {event.evidence['n']} results" in change.known
    assert change.predicted == f"bob_2 worth {event.evidence['expected']:+.2f} a run over bob"
    found = difference(state.record.scores, "bob_2", "bob")
    runs = sum(score.weight for score in state.record.scores if score.agent == "bob_2")
    for number in (found.mean, found.low, found.high, runs * found.mean, runs * found.low, runs * found.high):
        assert f"{number:+.2f}" in change.happened
    assert change.figures["gave"] == pytest.approx(runs * found.mean) and found.mean > 0
    assert change.undone == "" and change.by == "ada" and change.because == event.because.rstrip(".")


def test_coaching_says_its_target_and_whether_it_was_met() -> None:
    state, moments = managed()
    event = next(each for each in of(moments, ev.AgentCoached) if each.agent == "bob")
    at = next(index for index, (_, each) in enumerate(moments) if each is event)
    judged = [each for each in of(moments[at:], ev.AgentAppraised) if each.agent == "bob"]
    before = [each for each in of(moments[:at], ev.AgentAppraised) if each.agent == "bob"][-1]
    last = next(each for each in judged if each.evidence >= before.evidence + event.experiments)
    change = only(changes_of(state, moments), "coaching", "bob")
    assert f"worth {before.worth:+.2f}" in change.known and change.predicted == event.target
    assert "asked to refine" in change.what
    assert change.happened.startswith("target missed: ") and f"{last.worth:+.2f}" in change.happened
    line = narrate(state, event) or ""
    assert event.target in line and "asked to refine" in line and event.because in line
    assert all(f"{name} set to" in line for name in event.params) and event.params


def test_a_target_counts_as_met_where_the_later_worth_reaches_it() -> None:
    state, moments = managed()
    coached = next((i, e) for i, (_, e) in enumerate(moments) if isinstance(e, ev.AgentCoached))
    index, event = coached
    before = [e for e in of(moments[:index], ev.AgentAppraised) if e.agent == event.agent][-1]
    due = before.evidence + event.experiments
    later = ev.AgentAppraised(event.agent, "ada", event.level + 0.5, -1, 1, due, 0.2, "keep", "", event.level)
    found = changes_of(state, [*moments[: index + 1], (99.0, later)])
    assert found[-1].happened.startswith(f"target met: worth {event.level + 0.5:+.2f}")
    assert found[-1].happened.endswith("; kept")
    assert "not yet judged: " in changes_of(state, moments[: index + 1])[-1].happened


def test_too_little_evidence_is_no_verdict() -> None:
    moments: list[Moment] = []
    person = Person()
    person.until(running)
    person.says("replace", agent="bob", because="a hunch")
    moments = list(person.events)
    change = only(changes_of(person.state, moments), "replacement", "bob")
    assert change.by == "person" and change.because == "a hunch" and "too early: 0 of 4 results" in change.happened
    person.finish()
    change = only(changes_of(person.state, person.events), "replacement", "bob")
    assert not change.happened.startswith("too early")


def test_who_is_measured_by_no_worth_is_said_to_be() -> None:
    person = Person()
    person.until(running)
    chart = person.state.chart
    talent = (*chart.talent, chart.talent[0].model_copy(update={"role": "engineer", "brain": None}))
    person.state.__dict__["chart"] = chart.model_copy(update={"talent": talent})
    assert person.says("replace", agent="dan")[1].done
    change = only(changes_of(person.state, person.events), "replacement", "dan")
    assert change.known == "no worth is measured for an engineer" and change.predicted == "nothing"
    assert change.happened.startswith("too early: 0 of 4 cases of dan_2")
    person.finish()
    later = only(changes_of(person.state, person.events), "replacement", "dan").happened
    assert later.startswith("dan_2 ") and later.endswith("full-length runs saved an experiment")


def test_a_failed_trial_undoes_the_replacement() -> None:
    engine, steps = tried(hopeless)
    moments = tuple(moment for step in steps for moment in step.events)
    found = changes_of(engine.state, moments)
    ended = of(moments, ev.TrialEnded)
    replaced = [change for change in found if change.kind == "replacement"]
    assert len(replaced) == 2 and all("bob is back" in change.undone for change in replaced)
    for change, event in zip((c for c in found if c.kind == "trial"), ended, strict=True):
        assert f"{round(100 * event.evidence['p_better'])} %" in change.known and "did not pass" in change.what


def test_a_revision_says_its_prediction_its_check_and_its_undoing() -> None:
    chart = chart_of("lab", 110, reorganise={"rule": "evidence", "every": 1, "undo_after": 6})
    moments: list[Moment] = []
    engine = drive(
        planted_project(), chart, planted_trainer(), seed=2, slots=3, on_step=lambda step: moments.extend(step.events)
    )
    found = {change.who: change for change in changes_of(engine.state, moments) if change.kind in ("revision", "undo")}
    checks = of(tuple(moments), ev.RevisionChecked)
    assert checks and len(found) == len(engine.state.revisions)
    for check in checks:
        change, event = found[f"revision {check.number}"], engine.state.revisions[check.number - 1].event
        assert change.happened == f"{check.verdict}: {check.because}"
        assert change.predicted.startswith(event.prediction["unit"]) and change.known
        assert bool(change.undone) == (check.verdict == "did not pay")
        assert change.figures["predicted_after"] == pytest.approx(event.prediction["after"])
    undo = next(change for change in found.values() if change.kind == "undo")
    assert undo.what.startswith("takes back revision ") and undo.happened == "held against nothing"


def test_every_act_of_a_person_has_one_line() -> None:
    person = Person(approve={"replace": "human"})
    person.until(running)
    name = running(person.state) or ""
    assert person.says("stop", experiment=name)[1].done and person.says("pause")[1].done
    assert person.says("resume")[1].done and not person.says("undo", revision=7)[1].done
    split = {"kind": "SplitTeam", "manager": "ada", "into": "fay", "members": ["bob"]}
    assert person.says("edit", edits=[split])[1].done and person.says("undo", revision=1)[1].done
    found = changes_of(person.state, person.events)
    assert [(change.kind, change.who) for change in found] == [
        ("command", name), ("command", "the company"), ("command", "the company"), ("revision", "revision 1"),
        ("undo", "revision 2"),
    ]  # fmt: skip
    assert {change.by for change in found} == {"person"}
    assert found[0].happened.startswith(f"{name} is stopped") and "fay leads a part" in found[3].what
    assert found[3].undone == f"at {found[4].at:.1f} by person, revision 2"


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_whatever_happens_every_change_is_told_in_lines_of_plain_text(seed: int) -> None:
    moments: list[Moment] = []
    engine: Engine = drive(
        rough_project(), eventful_chart(30), rough_trainer(), seed=seed, slots=2, decide=moody,
        on_step=lambda step: moments.extend(step.events),
    )  # fmt: skip
    found = changes_of(engine.state, moments)
    told = (ev.AgentReplaced, ev.TrialEnded, ev.AgentCoached, ev.ChartRevised)
    assert len(found) == sum(isinstance(event, told) for _, event in moments) > 5
    for change in found:
        words = [value for value in asdict(change).values() if isinstance(value, str)]
        assert all(text.isprintable() and len(text) < 500 for text in words)
        assert change.happened and not [text for text in words if "nan" in text.split()]
    json.dumps([asdict(change) for change in found], allow_nan=False)


def test_the_report_holds_every_change_in_every_format(tmp_path: Path) -> None:
    chart = four_researchers(80, appraise={"every": 5, "after": 3}, hire={"trial": 3})
    record(tmp_path, chart, decide=rash)
    account = read_run(tmp_path)
    found = summarise(account)["decisions"]
    assert {change["kind"] for change in found} >= {"replacement", "coaching", "trial"}
    page, text = report_text(tmp_path, "html"), report_text(tmp_path, "md").replace("\\", "")
    for change in found:
        assert change["happened"] in text and change["known"] in text
        assert change["happened"].replace("'", "&#x27;") in page
    assert "## Changes" in text and "## People" in text
    terminal = " ".join(report_text(tmp_path, "terminal", 100).split())
    last = [change for change in found if change["kind"] == "replacement"][-1]
    assert f"{last['figures']['difference']:+.2f} a run" in terminal


def test_everyone_has_a_scorecard_in_the_report(tmp_path: Path) -> None:
    state = record(tmp_path, "committee", rough_trainer(), project=rough_project(), seed=4)
    found = {agent["id"]: agent for agent in summarise(read_run(tmp_path))["agents"]}
    text = report_text(tmp_path, "md").replace("\\", "")
    for name, agent in found.items():
        card = agent["appraisal"]
        assert card["low"] <= card["score"] <= card["high"] and card["unit"] in text and card["parts"]
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert f"{card['score']:+.2f}" in row or f"{card['score']:+.3f}" in row
    total = sum(agent["credited"] for agent in found.values())
    assert total == pytest.approx(sum(state.record.confirmed.values()))
    for words in ("Brier", "crashed attempt", "against the best split", "directives", "foresight", "of slots"):
        assert words in text


def test_a_run_without_any_change_says_so(tmp_path: Path) -> None:
    record(tmp_path, chart_of("startup", 8, replace={"rule": "never"}, appraise={"every": 0}))
    for form in ("html", "md"):
        assert UNCHANGED in report_text(tmp_path, form).replace("\\", "")  # type: ignore[arg-type]
    assert summarise(read_run(tmp_path))["decisions"] == []


def test_hostile_text_in_a_change_stays_text(tmp_path: Path) -> None:
    chart = chart_of("startup", 24, replace={"rule": "bottom"}, appraise={"every": 3, "after": 2})
    record(tmp_path, chart, decide=hostile)
    account = read_run(tmp_path)
    found = summarise(account)["decisions"]
    assert any("<script>" in change["because"] for change in found)
    assert "<script>" not in report_text(tmp_path, "html") and "<script" not in report_text(tmp_path, "md")
    event = ev.AgentCoached("bob", "ada", HOSTILE, HOSTILE, 0.0, 2, HOSTILE, {HOSTILE: 1.0}, HOSTILE)
    line = narrate(account.state, event) or ""
    assert line.isprintable() and len(line) <= 400
    (change,) = changes_of(account.state, [(1.0, event)])
    assert all(text.isprintable() for text in asdict(change).values() if isinstance(text, str))


def test_a_replacement_is_narrated_with_what_was_known_and_expected() -> None:
    state, moments = managed()
    event = next(each for each in of(moments, ev.AgentReplaced) if each.leaving == "bob")
    line = narrate(state, event) or ""
    assert f"worth {event.evidence['worth']:+.2f}" in line and f"bob_2 worth {event.evidence['expected']:+.2f}" in line
    assert (
        narrate(state, ev.AgentReplaced("bob", "bob", "bob_2", "ada", "why", {})) == "ada replaces bob with bob_2: why"
    )

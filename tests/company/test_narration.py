"""What happened, in plain words."""

from __future__ import annotations

from pathlib import Path

from report_kit import HOSTILE, hostile, record

from company import events as ev
from company.account import read_run
from company.narration import narrate, notable


def test_a_run_tells_its_story_in_order(tmp_path: Path) -> None:
    record(tmp_path)
    story = [told.words for told in read_run(tmp_path).story]
    assert story[0] == "startup is founded to work on planted, seed 0, 2 slots (cpu)"
    assert any(line.startswith("the baseline is 2.8") and "5 seeds" in line for line in story)
    assert any(" proposes e0006: " in line for line in story)
    assert any("is confirmed on 1 fresh seed: champion with" in line for line in story)
    assert story[-2].startswith("The champion beats the baseline by ")
    assert story[-1] == "the company closes: the research budget is spent"


def test_founding_hires_and_bookkeeping_are_not_news(tmp_path: Path) -> None:
    record(tmp_path)
    story = [told.event for told in read_run(tmp_path).story]
    assert not {type(event) for event in story} & {ev.DecisionRequested, ev.ExperimentStarted, ev.RungReached}
    assert not [event for event in story if isinstance(event, ev.AgentHired) and event.agent in ("ada", "bob", "cleo")]


def test_hostile_text_stays_one_short_printable_line(tmp_path: Path) -> None:
    record(tmp_path, "lab", decide=hostile)
    story = [told.words for told in read_run(tmp_path).story]
    assert any("<script>" in line for line in story)
    assert all(line.isprintable() and len(line) <= 400 for line in story)


def test_every_kind_of_event_can_be_told_with_hostile_fields(tmp_path: Path) -> None:
    state = record(tmp_path)
    events = [
        ev.AgentReplaced("bob", "bob", "bob", "ada", HOSTILE, {"talent": 0}),
        ev.AgentCoached("bob", "ada", HOSTILE, HOSTILE),
        ev.AgentHired("bob_2", HOSTILE, "bob", "researcher", {"kind": HOSTILE}, HOSTILE),
        ev.DecisionMade("d1", "bob", "propose", [], HOSTILE),
        ev.DigestSent("ada", None, HOSTILE),
        ev.AttemptFailed("e0006", 1, "out_of_memory", {"log": HOSTILE}),
        ev.ExperimentQueued("e0006", 2, 4, "cpu", "dan", HOSTILE),
        ev.ExperimentFinished("e0006", "failed", None, "diverged", "", 1.0, [], {"log": HOSTILE}),
        ev.ExperimentRefused("e0006", HOSTILE),
        ev.RunClosed(True, HOSTILE),
    ]
    lines = [narrate(state, event) for event in events]
    assert all(line and line.isprintable() and len(line) <= 400 for line in lines)
    assert lines[5] and lines[5].startswith("e0006 failed (out of memory): ")


def test_approvals_are_told_but_only_what_matters_at_once_is_notable(tmp_path: Path) -> None:
    record(tmp_path)
    account = read_run(tmp_path)
    told = {type(each.event): each.event for each in account.story}
    assert narrate(account.state, told[ev.ReviewGiven]) and not notable(account.state, told[ev.ReviewGiven])
    assert notable(account.state, told[ev.ChampionChosen])

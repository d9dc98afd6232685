"""The page of one agent: every role's score with its interval and parts, and who is on trial."""

from __future__ import annotations

from functools import cache

import pytest

from company.chart import OrgChart, Talent
from company.chart_yaml import load_chart
from company.engine import Commanded, Engine
from company.scorecards import appraise
from company.snapshot import Recorded, Snapshot
from company.standing import scorecard
from company.testing import Rehearsal, planted_project, planted_trainer
from tui.draw.agent import agent_page
from tui.draw.glyphs import seat

ROOM = 60


def chart() -> OrgChart:
    data = load_chart("committee").to_dict()
    data["budget"] = {"experiments": 24}
    data["policies"]["hire"] = {"trial": 50}
    data["policies"]["replace"] = {"rule": "never"}
    return OrgChart.from_dict(data).model_copy(update={"talent": (Talent(role="researcher", count=1),)})


@cache
def watched() -> Snapshot:
    """A company that has worked for a while and then had bob replaced on trial."""
    engine, shot = Engine(planted_project()), Snapshot()
    work = Rehearsal(engine, planted_trainer())
    step, asked = work.follow(engine.found(chart(), 0, 2)), False
    while step is not None:
        for at, event in step.events:
            shot.apply(Recorded(shot.seq + 1, at, at, event))
        if not asked and shot.state.agents and shot.state.agents["bob"].experiments >= 5:
            asked, step = True, work.follow(engine.handle(Commanded(1, "replace", {"agent": "bob"}), engine.state.now))
            continue
        step = work.advance()
    return shot


def page(agent: str, short: bool = False) -> str:
    lines = agent_page(watched(), agent, ROOM, short)
    return " ".join(" ".join(text for text, _ in line) for line in lines)


@pytest.mark.parametrize(
    "agent, words",
    [("dan", "crashed attempt"), ("eve", "reliability"), ("ada", "against the best split"), ("cleo", "predictions")],
)
def test_every_role_shows_its_score_and_what_it_is_made_of(agent: str, words: str) -> None:
    card, shown = appraise(watched().state, agent), " ".join(page(agent).split())
    assert words in shown
    if card.role != "researcher":
        digits = 2 if card.role == "engineer" else 3
        assert f"{card.score:+.{digits}f} ({card.low:+.{digits}f} to {card.high:+.{digits}f})" in shown
        assert f"from {card.n} results" in shown
        assert words not in " ".join(page(agent, short=True).split())


def test_who_is_on_trial_is_marked_and_told_for_how_long() -> None:
    state = watched().state
    hire = state.agents["bob_2"]
    assert hire.status == "trial" and seat(hire) == ("◔", "warn")
    shown = " ".join(page("bob_2").split())
    assert "on trial" in shown and f"{50 - hire.experiments} proposals more" in shown


def test_a_scorecard_is_made_once_an_event() -> None:
    state = watched().state
    assert scorecard(state, "ada") is scorecard(state, "ada")
    before = scorecard(state, "ada")
    state.seq += 1
    assert scorecard(state, "ada") is not before and scorecard(state, "ada") == before

"""Where language models decide, the dashboard says which, what they took and what a budget has left; else nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from company import events as ev
from company.brain_words import brain_words
from company.chart import OrgChart
from company.model_costs import ModelCosts, Spending, budget_left, spending_words
from tests.tui.kit import HOSTILE, chart_of, opened, rehearse, rest, text_of
from tui.app import Dashboard
from tui.clips import agent_clip
from tui.evidence import agent_facts

SMALL, LARGE = "small-model", "large-model"
TOOK = {"model": SMALL, "tokens_in": 900, "tokens_out": 100, "usd": 0.002, "usd_strong": 0.02, "seconds": 1.5}
ESCALATED = {**TOOK, "model": LARGE, "usd": 0.02, "escalated": "three discards in a row"}
PARAMS = {"model": SMALL, "price": {"input": 1, "output": 2}, "offline": "random"}


def chart(**budget: object) -> OrgChart:
    """The usual company, its first researcher a model."""
    data = chart_of(experiments=8).to_dict()
    seat = next(seat for seat in data["positions"] if seat["role"] == "researcher")
    seat["brain"] = {"provider": "openai", **PARAMS}
    data["budget"] = {**data["budget"], **budget}
    return OrgChart.from_dict(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company whose bob is a model: its decisions took something, the third of them by the strong model."""
    folder = tmp_path_factory.mktemp("costs") / "run"
    rehearse(folder, chart(tokens=100_000, usd=1.0))
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as database:
        made = "SELECT seq FROM event WHERE kind = 'DecisionMade' AND actor = 'bob' ORDER BY seq"
        seqs = [seq for (seq,) in database.execute(made)]
        assert len(seqs) >= 3
        for index, seq in enumerate(seqs):
            measured = json.dumps(ESCALATED if index == 2 else TOOK)
            database.execute("UPDATE event SET measured = ? WHERE seq = ?", (measured, seq))
        database.commit()
    return folder


async def page_of(app: Dashboard, pilot: Pilot[None], agent: str) -> str:
    """The screen with an agent's page on it."""
    app.action_go("agents")
    await rest(app, pilot)
    app.open_agent(agent)
    for _ in range(100):
        await pilot.pause(0.02)
        if "Score ─" in text_of(app):
            break
    return text_of(app)


@pytest.mark.parametrize("theme", ["loopworks-dark", "loopworks-light"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_company_and_the_agent_say_what_models_took(run: Path, size: tuple[int, int], theme: str) -> None:
    async with opened(run, "org", size, theme) as (app, pilot):
        spent = app.desk.shot.costs.agents["bob"]
        took = f"{spent.tokens:,} tokens · ${spent.usd:.3g} · {100 * spent.escalated_share:.0f} % strong"
        left = f"{100 - 100 * max(spent.tokens / 100_000, spent.usd):.0f} % left"
        home = text_of(app)
        assert f"models {took} · {left}" in home
        page = await page_of(app, pilot, "bob")
        assert f"openai {SMALL}" in page and "Model ─" in page and took in page


async def test_a_wide_window_says_it_in_the_status_row(run: Path) -> None:
    async with opened(run, "slots", (200, 40)) as (app, _):
        assert "models " in text_of(app).splitlines()[0]


async def test_nothing_is_shown_where_nobody_is_a_model(tmp_path: Path) -> None:
    rehearse(tmp_path / "run", chart_of(experiments=4))
    async with opened(tmp_path / "run", "org", (200, 50)) as (app, pilot):
        shown = text_of(app)
        shown += await page_of(app, pilot, "bob")
    assert "models " not in shown and "tokens" not in shown and "Model ─" not in shown


async def test_a_models_name_stands_in_lists_dialogs_and_clips(run: Path) -> None:
    async with opened(run, "agents", (160, 40)) as (app, _):
        assert "small-mod" in text_of(app)
        shot = app.desk.shot
        assert f"openai {SMALL}" in agent_clip(shot, "bob")
        assert f"(openai {SMALL})" in agent_facts(shot.state, shot.state.agents["bob"])[0].words


def test_what_a_brain_is_called() -> None:
    assert brain_words("policy", {}) == ""
    assert brain_words("tpe", {"start": 3}) == "tpe"
    assert brain_words("openai", PARAMS) == f"openai {SMALL}"
    assert brain_words("openai", PARAMS, 12) == SMALL
    assert brain_words("openai", PARAMS, 8) == "small-m…"
    assert brain_words("ollama", {}) == "ollama"
    for text in HOSTILE:
        shown = brain_words("openai", {"model": text})
        assert len(shown) <= 40 and shown.isprintable()


def test_a_budget_has_left_what_the_nearer_limit_leaves() -> None:
    spent = Spending(tokens_in=600, tokens_out=150, usd=0.2)
    assert budget_left(spent, 1000, None) == 0.25
    assert budget_left(spent, 1000, 0.25) == pytest.approx(0.2)
    assert budget_left(spent, 100, None) == 0.0
    assert budget_left(spent, None, None) is None
    assert spending_words(Spending(tokens_in=5)) == "5 tokens"


def test_a_dashboard_keeps_nothing_of_single_experiments() -> None:
    whole, lean = ModelCosts(), ModelCosts(by_experiment=False)
    events = (
        ev.DecisionMade(decision="d1", agent="bob", task="propose", intents=[], problem="", measured=TOOK),
        ev.DecisionRequested(decision="d2", agent="bob", task="verdict", experiment="e1", turn=1),
        ev.DecisionMade(decision="d2", agent="bob", task="verdict", intents=[], problem="", measured=TOOK),
    )
    for event in events:
        whole.apply(event)
        lean.apply(event)
    assert (whole.total, whole.agents) == (lean.total, lean.agents) and whole.experiments and not lean.experiments

"""A long ledger is shown before all of it is read: what is shown then is right, and says what it does not know yet."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from company.glimpse import glimpse
from company.snapshot import Snapshot
from tests.tui.engine_kit import until
from tests.tui.kit import chart_of, rehearse, rest, text_of
from tests.tui.test_following import read_all
from tests.tui.test_stepping_in import told
from tui.app import Dashboard
from tui.draw.agent import agent_page
from tui.draw.news import news
from tui.extract import extract
from tui.feed import Feed
from tui.history import History
from tui.source import Source


@pytest.fixture(params=["finished", "killed", "turned"])
def run(request: pytest.FixtureRequest, finished: Path, killed: Path, turned: Path) -> Path:
    return {"finished": finished, "killed": killed, "turned": turned}[request.param]


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that replaces, coaches and reorganises."""
    folder = tmp_path_factory.mktemp("runs") / "turned"
    rehearse(folder, chart_of("turnaround", 60), slots=3)
    return folder


def both(run: Path) -> tuple[Snapshot, Snapshot]:
    """The first look at a run, and the whole of it."""
    source = Source(run)
    found = extract(source)
    source.close()
    assert found is not None
    whole = Snapshot()
    for delta in read_all(run):
        whole.extend(delta.records)
    return glimpse(found), whole


def test_the_first_look_agrees_with_the_whole(run: Path) -> None:
    early, whole = both(run)
    assert early.early and not whole.early
    assert (early.seq, early.at, early.state.phase) == (whole.seq, whole.at, whole.state.phase)
    assert early.state.chart == whole.state.chart and early.state.holder == whole.state.holder
    assert early.state.champion is not None and whole.state.champion is not None
    assert early.state.champion.experiment == whole.state.champion.experiment
    assert early.state.trail == whole.state.trail and early.state.sigma == whole.state.sigma
    assert {k: n for k, n in early.tally.items() if n} == {k: n for k, n in whole.tally.items() if n}
    assert set(early.state.under_way) == set(whole.state.under_way) and early.state.running == whole.state.running
    for name, agent in whole.state.agents.items():
        shown = early.state.agents[name]
        assert (shown.status, shown.position, shown.role) == (agent.status, agent.position, agent.role)
        assert (shown.experiments, shown.share) == (agent.experiments, agent.share)
        assert shown.appraised == agent.appraised
    assert [line[0] for line in news(early, 9, 120)] == [line[0] for line in news(whole, 9, 120)]


def test_a_count_of_statuses_is_what_the_experiments_say(run: Path) -> None:
    _, whole = both(run)
    statuses = [experiment.status for experiment in whole.state.experiments.values()]
    assert {k: n for k, n in whole.tally.items() if n} == {k: statuses.count(k) for k in set(statuses)}


async def test_it_is_shown_at_once_and_gives_way_to_the_whole(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, read = threading.Event(), Feed._records
    monkeypatch.setattr("tui.feed.LONG", 100)
    monkeypatch.setattr(Feed, "_records", lambda feed: gate.wait(60) and read(feed))
    app = Dashboard(finished, tick=0.02)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.view is not None and app.view.ready)
        await until(pilot, lambda: "The ledger is being read" in text_of(app))
        shown = text_of(app)
        assert "◌ reading 0 %" in shown and "the company closes" in shown and "  budget " not in shown
        for tab in ("experiments", "agents", "slots", "timeline", "chart", "org"):
            app.action_go(tab)
            await rest(app, pilot)
            assert app.tab == tab and "The ledger is being read" in text_of(app)
        await pilot.press("x")
        assert told(app)
        gate.set()
        await until(pilot, lambda: "■ finished" in text_of(app))
        assert not app.desk.whole.early and app.desk.shot is app.desk.whole
        assert "being read" not in text_of(app) and "  budget " in text_of(app)


def test_a_first_look_says_what_it_does_not_know(finished: Path) -> None:
    early, whole = both(finished)
    for agent in whole.state.agents.values():
        words = "\n".join("".join(text for text, _ in each) for each in agent_page(early, agent.id, 60))
        known = agent.role == "researcher" and agent.appraised is None
        assert "being read" in words or known


def test_checkpoints_of_a_long_history_stay_few_and_small(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.history.STEP", 20)
    monkeypatch.setattr("tui.history.ROOM", 400_000)
    history = History(finished)
    last = read_all(finished)[-1].total
    assert history.at(last).seq == last
    assert 0 < history.kept_bytes <= 400_000
    assert history.at(100).seq == 100 and history.at(99).seq == 99
    history.close()

"""A run that another process writes is followed; a killed engine is noticed; nothing is ever written or held."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from company.snapshot import Snapshot
from tests.support import kill_hard, start, write_chart, write_project
from tests.tui.kit import opened, rest, text_of
from tui.app import Dashboard
from tui.feed import Delta, Feed
from tui.history import History
from tui.screenshots import settle


async def until(pilot: Pilot[None], holds: Callable[[], object], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, text_of(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.1)


async def test_a_company_at_work_is_followed_until_it_is_killed(tmp_path: Path) -> None:
    project = write_project(tmp_path / "tiny", step=0.02, seconds=10.0)
    chart = write_chart(tmp_path / "small.yaml", experiments=200)
    run = tmp_path / "run"
    engine = start("run", chart, "--project", project, "--out", run, "--slots", "1", "--engine", "direct", cwd=tmp_path)
    try:
        end = time.monotonic() + 60
        while not (run / "chart.yaml").exists():
            assert time.monotonic() < end and engine.poll() is None, engine.communicate()
            time.sleep(0.05)
        app = Dashboard(run, tick=0.05)
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(app, pilot)
            await until(pilot, lambda: app.desk.delta.engine == "live")
            seen = app.desk.whole.seq
            await until(pilot, lambda: app.desk.whole.seq > seen + 10)
            assert "● live" in text_of(app)
            app.action_go("slots")
            await until(pilot, lambda: "of about" in text_of(app))
            kill_hard(engine)
            await until(pilot, lambda: "presumed dead" in text_of(app))
            assert "loopworks run --resume" in text_of(app) and "1 needs you" in text_of(app)
    finally:
        if engine.poll() is None:
            kill_hard(engine)


async def test_a_killed_engine_is_shown_with_the_way_to_go_on(killed: Path) -> None:
    async with opened(killed) as (app, _pilot):
        assert "presumed dead" in text_of(app) and "loopworks run --resume" in text_of(app)


def test_looking_at_a_finished_run_leaves_no_file_behind(finished: Path) -> None:
    before = {path.name: path.read_bytes() for path in finished.iterdir() if path.is_file()}
    read_all(finished)
    assert {path.name: path.read_bytes() for path in finished.iterdir() if path.is_file()} == before


def test_a_finished_run_is_read_in_bounded_deltas(finished: Path) -> None:
    deltas = read_all(finished)
    assert all(len(delta.records) <= 1000 for delta in deltas)
    assert deltas[-1].engine == "finished" and deltas[-1].records[-1].seq == deltas[-1].total


def test_a_replay_is_the_fold_stopped_earlier(finished: Path) -> None:
    records = [record for delta in read_all(finished) for record in delta.records]
    history = History(finished)
    for seq in (len(records), 400, 5, 401, 1):
        straight = Snapshot()
        straight.extend(records[:seq])
        replayed = history.at(seq)
        assert replayed.seq == straight.seq == seq
        assert list(replayed.story) == list(straight.story)
        assert replayed.state.experiments == straight.state.experiments
        assert replayed.state.agents == straight.state.agents and replayed.lanes == straight.lanes
    history.close()


async def test_every_tab_shows_the_moment_of_the_replay(finished: Path) -> None:
    async with opened(finished) as (app, pilot):
        everything = len(app.desk.whole.state.experiments)
        app.show_moment(200)
        await rest(app, pilot)
        assert app.desk.replay and app.desk.shot.seq == 200
        for tab in ("experiments", "agents", "slots", "timeline", "org"):
            app.action_go(tab)
            await rest(app, pilot)
            assert "replay 200" in text_of(app)
        assert len(app.desk.shot.state.experiments) < everything
        app.action_live()
        await rest(app, pilot)
        assert "finished" in text_of(app)


def read_all(run: Path) -> list[Delta]:
    feed = Feed(run, lambda delta: None)
    found = []
    while (delta := feed.tick()) is not None:
        found.append(delta)
    feed.source.close()
    return found

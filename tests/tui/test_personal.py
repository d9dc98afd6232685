"""Read-only dashboards, copies and pictures, and how a dashboard is left beside its engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.kit import opened, rest, text_of
from tui.app import Dashboard
from tui.clips import agent_clip, experiment_clip
from tui.keys import KEYS, keys_of
from tui.pictures import write_picture
from tui.screenshots import settle
from tui.tabs import TABS
from tui.visit import Visit
from tui.widgets.help import help_lines
from tui.widgets.leave import Leave


class Engine:
    """An engine that works until it is told otherwise."""

    def __init__(self, works: bool = True, failure: str = "") -> None:
        self._works, self._failure = works, failure

    def works(self) -> bool:
        return self._works

    def failure(self) -> str:
        return self._failure


@asynccontextmanager
async def visited(run: Path, visit: Visit) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    app = Dashboard(run, tick=0.02, visit=visit)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        yield app, pilot


async def ids_on(app: Dashboard, pilot: Pilot[None], tab: str) -> set[str | None]:
    """The actions that have a key, once the focus is on the tab."""
    for _ in range(100):
        ids = {active.binding.id for active in app.screen.active_bindings.values()}
        if any(name and name.startswith(f"{tab}.") for name in ids):
            break
        await pilot.pause(0.02)
    return ids


async def test_read_only_has_no_key_that_steps_in(finished: Path) -> None:
    async with visited(finished, Visit(readonly=True)) as (app, pilot):
        assert app.readonly and "read-only" in text_of(app).splitlines()[0]
        for tab in TABS:
            app.action_go(tab)
            await rest(app, pilot)
            ids = await ids_on(app, pilot, tab)
            assert not ids & {key.name for key in KEYS if key.intervenes}
            assert {key.name for key in keys_of(tab, readonly=True)} <= ids | {"chart.edit"}


async def test_others_have_every_key(finished: Path) -> None:
    async with visited(finished, Visit()) as (app, pilot):
        assert not app.readonly and "read-only" not in text_of(app)
        for tab in TABS:
            app.action_go(tab)
            await rest(app, pilot)
            ids = await ids_on(app, pilot, tab)
            assert {key.name for key in KEYS if key.intervenes and key.where in ("app", tab)} <= ids


def test_the_help_of_a_read_only_dashboard_names_no_such_key() -> None:
    def said(readonly: bool) -> str:
        return "\n".join("".join(text for text, _ in line) for line in help_lines("org", {}, readonly))

    stepping = [key.says for key in KEYS if key.intervenes]
    assert all(says in said(False) for says in stepping)
    assert not any(says in said(True) for says in stepping)


def test_no_name_of_an_action_both_looks_and_steps_in() -> None:
    for key in KEYS:
        same = [k for k in KEYS if k.where == key.where and k.action.split("(")[0] == key.action.split("(")[0]]
        assert len({k.intervenes for k in same}) == 1, key


async def test_y_copies_the_config_of_the_experiment(finished: Path) -> None:
    async with opened(finished, "experiments") as (app, pilot):
        await pilot.press("down", "y")
        await rest(app, pilot)
        state = app.desk.shot.state
        assert json.loads(app.clipboard) == dict(state.experiments[app.desk.experiment].config)


async def test_y_copies_the_line_of_the_agent(finished: Path) -> None:
    async with opened(finished, "agents") as (app, pilot):
        app.desk.select_agent("bob")
        await pilot.press("y")
        await rest(app, pilot)
        assert app.clipboard.startswith(f"{app.desk.agent}: ") and "\n" not in app.clipboard


async def test_what_is_copied_holds_no_control_codes(nasty: Path) -> None:
    async with opened(nasty) as (app, _):
        shot = app.desk.shot
        clips = [agent_clip(shot, id) for id in shot.state.agents]
        clips += [experiment_clip(shot, id) for id in shot.state.experiments]
        assert len(clips) > 5 and all(clips)
        assert all(c == "\n" or c.isprintable() for text in clips for c in text)
        assert agent_clip(shot, "nobody") == experiment_clip(shot, "e9999") == ""


def test_a_picture_overwrites_nothing(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path, "shot", f"<svg>{n}</svg>") for n in range(3)]
    assert [path.name for path in paths] == ["shot.svg", "shot-2.svg", "shot-3.svg"]
    assert [path.read_text() for path in paths] == [f"<svg>{n}</svg>" for n in range(3)]


async def test_a_picture_says_where_it_is(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(finished) as (app, pilot):
        await pilot.press("S")
        await rest(app, pilot)
        path = next(tmp_path.glob("*.svg"))
        assert [str(path) in note.message for note in app._notifications] == [True]
        assert "<svg" in path.read_text()


@pytest.mark.parametrize(
    ("keys", "left"), [(["q", "l"], "leave"), (["ctrl+c", "s"], "stop"), (["q", "enter"], "leave")]
)
async def test_leaving_asks_what_becomes_of_the_engine(finished: Path, keys: list[str], left: str) -> None:
    async with visited(finished, Visit(engine=Engine())) as (app, pilot):
        await pilot.press(keys[0])
        await rest(app, pilot)
        assert isinstance(app.screen, Leave) and not app._exit
        await pilot.press("escape")
        await rest(app, pilot)
        assert not isinstance(app.screen, Leave)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert app._exit and app.left == left


@pytest.mark.parametrize("engine", [None, Engine(works=False)])
async def test_leaving_asks_nothing_where_no_engine_works(finished: Path, engine: Engine | None) -> None:
    async with visited(finished, Visit(engine=engine)) as (app, pilot):
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app._exit and app.left == ""


async def test_an_engine_that_failed_is_a_banner(finished: Path) -> None:
    engine = Engine(works=False, failure="The engine stopped: [bold]no disk[/]")
    async with visited(finished, Visit(engine=engine)) as (app, pilot):
        app._second()
        await rest(app, pilot)
        assert "The engine stopped: [bold]no disk[/]" in text_of(app)

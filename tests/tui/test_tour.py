"""The bundled demo still folds, and the tour through it is done by doing, skipped by a key, and remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from company.commands import tui as command
from company.exits import Exit
from company.ledger import Ledger
from tests.tui.kit import opened, rest, text_of
from tui import demo
from tui.app import Dashboard
from tui.keys import KEYS
from tui.places import TOUR, config_file, remembered, state_directory
from tui.screenshots import settle
from tui.tour import STOPS, keys_for
from tui.visit import Visit
from tui.widgets.tour import TourBar

PRESSES = ("down", "enter", "2", "left_curly_bracket", "L", "question_mark")


def test_the_demo_is_small_unaltered_and_still_folds(tmp_path: Path) -> None:
    packed = demo.PACKED.read_bytes()
    assert len(packed) < 300_000
    assert hashlib.sha256(packed).hexdigest() == demo.SHA256, "run: python -m tui.demo"
    state = Ledger(demo.unpack(tmp_path) / "ledger.sqlite").fold()
    assert state.phase == "closed" and state.champion is not None and state.closed is not None
    assert any(agent.status == "left" for agent in state.agents.values())


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    for _ in range(200):
        if holds():
            return
        await pilot.pause(0.05)
    raise AssertionError(text_of(pilot.app))  # type: ignore[arg-type]


async def test_the_tour_is_done_by_doing_what_it_says(tmp_path: Path) -> None:
    run = demo.unpack(tmp_path)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    app = Dashboard(run, tick=0.02, visit=Visit(readonly=True, tour=True, label="demo"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert text_of(app).startswith(" demo  read-only ")
        for number, key in enumerate(PRESSES, start=1):
            await until(pilot, lambda number=number: f"tour {number}/{len(STOPS)}" in text_of(app))
            assert not remembered(TOUR)
            await pilot.press(key)
            await rest(app, pilot)
        await until(pilot, lambda: not app.query_one(TourBar).on)
        await pilot.press("escape")
    assert remembered(TOUR)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


async def test_the_tour_can_be_left_and_begun_on_any_run(finished: Path) -> None:
    async with opened(finished) as (app, pilot):
        assert "n" not in app.screen.active_bindings and "tour" not in text_of(app)
        await pilot.press("T")
        await rest(app, pilot)
        assert "tour 1/" in text_of(app) and "n" in app.screen.active_bindings
        await pilot.press(*["n"] * (len(STOPS) - 1))
        await rest(app, pilot)
        assert f"tour {len(STOPS)}/" in text_of(app) and not remembered(TOUR)
        await pilot.press("T")
        await rest(app, pilot)
        assert "tour 6/" not in text_of(app) and remembered(TOUR)


def test_steps_name_keys_that_there_are() -> None:
    names = {key.name for key in KEYS}
    assert all(set(stop.press) <= names for stop in STOPS)
    assert keys_for(STOPS[0]) == "↓ or →" and keys_for(STOPS[1], {"org.open": "f9"}) == "F9"


def test_the_demo_is_shown_once_where_there_is_nothing_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown: list[str] = []
    monkeypatch.setattr("tui.app.Dashboard.run", lambda self: shown.append(self.visit.label))
    monkeypatch.setattr("tui.empty.Empty.run", lambda self: shown.append("empty"))
    assert command.show(None, "loopworks-dark") is Exit.DONE
    state_directory().mkdir(parents=True)
    (state_directory() / TOUR).touch()
    command.show(None, "loopworks-dark")
    command.show(None, "loopworks-dark", demo=True)
    assert shown == ["demo", "empty", "demo"] and not list(tmp_path.iterdir())


def test_own_files_lie_where_the_platform_says(tmp_path: Path) -> None:
    env = {"HOME": "/home/ada"}
    assert config_file(env) == Path("/home/ada/.config/loopworks/config.toml")
    assert state_directory({**env, "XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "loopworks"
    assert state_directory({**env, "XDG_STATE_HOME": "relative"}) == Path("/home/ada/.local/state/loopworks")
    assert config_file({**env, "LOOPWORKS_CONFIG": "mine.toml"}) == Path("mine.toml")

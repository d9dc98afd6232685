"""Keys that follow each other within a millisecond go where the ones before them lead."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Input

from tests.tui.engine_kit import until
from tests.tui.kit import opened
from tui.app import Dashboard
from tui.lone import Lone, lone_app
from tui.widgets.goto import GoTo
from tui.widgets.yaml_area import YamlArea

NAMES = {":": "colon", "/": "slash", "#": "number_sign", " ": "space"}


def strike(app: Dashboard | Lone, *keys: str) -> None:
    """Press keys all at once, as a script or a paste without brackets does."""
    for key in keys:
        app.post_message(Key(NAMES.get(key, key), key if len(key) == 1 else None))


async def test_what_is_typed_right_after_e_is_in_the_chart(finished: Path) -> None:
    async with opened(finished, "chart") as (app, pilot):
        strike(app, "e", *"qx12")
        await until(pilot, lambda: app.query_one(YamlArea).text.startswith("qx12"))
        assert app.tab == "chart" and app.query_one(YamlArea).has_focus


async def test_even_where_the_tab_is_still_to_be_opened(finished: Path) -> None:
    async with opened(finished) as (app, pilot):
        strike(app, "6", "e", *"# mine: ", "home", "a")
        await until(pilot, lambda: app.query(YamlArea) and app.query_one(YamlArea).text.startswith("a# mine: "))
        assert app.tab == "chart"


async def test_a_dialog_gets_what_was_typed_for_it(finished: Path) -> None:
    async with opened(finished) as (app, pilot):
        strike(app, ":", *"agents", "enter")
        await until(pilot, lambda: app.tab == "agents" and not isinstance(app.screen, GoTo))
        strike(app, "2", "/", *"status:ok", "enter", "4")
        await until(pilot, lambda: app.tab == "slots")
        assert app.query_one(Input).value == "status:ok"


async def test_a_chart_file_of_its_own_is_typed_into_as_well(tmp_path: Path) -> None:
    chart = tmp_path / "mine.yaml"
    chart.write_text("company: mine\n")
    app = lone_app(chart, "loopworks-dark")
    assert isinstance(app, Lone)
    async with app.run_test(size=(120, 40)) as pilot:
        strike(app, *"qx12", "home", "a")
        await until(pilot, lambda: app.query_one(YamlArea).text.startswith("aqx12"))


async def test_a_key_does_not_wait_for_ever(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.in_order.PATIENCE_S", 0.3)
    async with opened(finished) as (app, pilot):
        app.is_settled = lambda: False  # type: ignore[method-assign]
        strike(app, "2", "4")
        await until(pilot, lambda: app.tab == "slots")

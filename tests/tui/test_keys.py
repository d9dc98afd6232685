"""Every key of the registry does what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.kit import opened, rest, text_of
from tui.app import Dashboard
from tui.keys import KEYS, PLACES, keys_of, markdown
from tui.screens.chart import ChartView
from tui.screens.experiments import ExperimentsView
from tui.tabs import TABS
from tui.widgets.ask import Ask
from tui.widgets.differences import Differences
from tui.widgets.goto import GoTo
from tui.widgets.help import Help
from tui.widgets.sheet import Sheet
from tui.widgets.table import Table
from tui.widgets.tour import TourBar
from tui.widgets.yaml_area import YamlArea

Check = Callable[[Dashboard], object]


def on_tab(name: str) -> Check:
    return lambda app: app.tab == name and app.view is not None and app.view.id == name


def screen_is(kind: type) -> Check:
    return lambda app: isinstance(app.screen, kind)


def moved(app: Dashboard) -> bool:
    return app.desk.position != "vera"


def replaying(app: Dashboard) -> bool:
    return app.desk.replay


def says(text: str) -> Check:
    return lambda app: any(text in notice.message for notice in app._notifications)


CLOSED = says("the run has closed: nothing can be changed any more")


def present(app: Dashboard) -> bool:
    return not app.desk.replay


# place.id -> keys pressed before, and what holds after the key
CHECKS: dict[str, tuple[tuple[str, ...], Check]] = {
    **{f"app.{tab}": (("4",) if tab != "slots" else ("1",), on_tab(tab)) for tab in TABS},
    "app.goto": ((), screen_is(GoTo)),
    "app.previous": (("3", "4"), on_tab("agents")),
    "app.earlier": ((), replaying),
    "app.later": (("left_square_bracket",), present),
    "app.change_before": ((), replaying),
    "app.change_after": (("left_curly_bracket",), present),
    "app.live": (("left_square_bracket",), present),
    "app.copy": ((), lambda app: app.clipboard.startswith("vera: manager, ")),
    "app.maximise": ((), lambda app: app.screen.maximized is not None),
    "app.theme": ((), lambda app: app.theme == "loopworks-light"),
    "app.picture": ((), lambda app: list(Path.cwd().glob("loopworks-org-*.svg"))),
    "app.tour": ((), lambda app: app.query_one(TourBar).on and "tour 1/" in text_of(app)),
    "app.tour_on": (("T",), lambda app: "tour 2/" in text_of(app)),
    "app.help": ((), screen_is(Help)),
    "app.pause": ((), CLOSED),
    "app.differences": ((), screen_is(Differences)),
    "app.needs": ((), says("nothing needs you")),
    "app.quit": ((), lambda app: app.return_value is None and app._exit),
    "org.left": (("right",), lambda app: app.desk.position != "ada"),
    "org.right": ((), moved),
    "org.up": (("down",), lambda app: app.desk.position == "vera"),
    "org.down": ((), moved),
    "org.open": (("down",), on_tab("agents")),
    "org.fold": ((), lambda app: "bob" not in app.query_one("#org-chart", Sheet).drawing.spots),
    "org.zoom": ((), lambda app: app.query_one("#org-chart").border_subtitle == "cards"),
    **{f"{tab}.{act}": ((), CLOSED) for tab in ("org", "agents") for act in ("replace", "move", "promote")},
    **{f"experiments.{act}": ((), CLOSED) for act in ("stop", "approve", "refuse")},
    "slots.stop": ((), CLOSED),
    "experiments.filter": ((), lambda app: isinstance(app.focused, Input)),
    "experiments.clear": (
        ("slash", *"status:failed", "enter"),
        lambda app: len(app.query_one(Table).keys) == len(app.desk.shot.state.experiments),
    ),
    "experiments.order": ((), lambda app: "best" in text_of(app)),
    "experiments.pick": ((), lambda app: "◉" in text_of(app)),
    "experiments.open": ((), lambda app: isinstance(app.focused, Sheet)),
    "agents.open": ((), lambda app: isinstance(app.focused, Sheet)),
    "agents.order": ((), lambda app: "weakest" in text_of(app)),
    "agents.former": ((), lambda app: app.view is not None and app.view._former),  # type: ignore[attr-defined]
    "slots.up": (("down",), lambda app: app.view is not None and app.view._slot == 0),  # type: ignore[attr-defined]
    "slots.down": ((), lambda app: app.view is not None and app.view._slot == 1),  # type: ignore[attr-defined]
    "slots.open": ((), on_tab("experiments")),
    "timeline.left": ((), replaying),
    "timeline.right": (("home",), lambda app: app.desk.shot.seq > 1),
    "timeline.time": ((), screen_is(Ask)),
    "timeline.first": ((), lambda app: app.desk.shot.seq == 1),
    "timeline.last": (("home",), present),
    "chart.edit": ((), lambda app: isinstance(app.focused, YamlArea)),
    "chart.problem": (("e", "x"), lambda app: "problems 1" in text_of(app) and isinstance(app.focused, YamlArea)),
    "chart.diff": ((), lambda app: "nothing differs" in text_of(app)),
    "chart.save": ((), screen_is(Ask)),
    "chart.revert": (("e", "x"), lambda app: not app.query_one(YamlArea).text.startswith("x")),
    "chart.apply": ((), CLOSED),
    "chart.undo": ((), CLOSED),
    "chart.elsewhere": ((), says("another editor cannot be opened here")),
    "batch.filter": ((), lambda app: isinstance(app.focused, Input)),
    "batch.status": ((), lambda app: "companies 0 of 0, failed" in text_of(app)),
    "batch.order": ((), lambda app: "most regret" in text_of(app)),
    "batch.open": ((), lambda app: isinstance(app.focused, Sheet)),
    "batch.clear": (("f",), lambda app: "failed" not in str(app.query_one("#batch-table").border_title)),
    "chart.leave": (("e",), lambda app: isinstance(app.focused, Sheet)),
}  # fmt: skip


def test_every_key_is_checked() -> None:
    assert {f"{key.where}.{key.id}" for key in KEYS} == set(CHECKS)


@pytest.mark.parametrize("place", PLACES)
async def test_keys(place: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(finished, "org" if place == "app" else place, size=(100, 28)) as (app, pilot):
        for key in sorted(keys_of(place), key=lambda each: each.id == "quit"):
            await reset(app, pilot, "org" if place == "app" else place)
            before, holds = CHECKS[f"{place}.{key.id}"]
            for press in (*before, key.keys.split(",")[0]):
                await pilot.press(press)
                await rest(app, pilot)
            await pilot.pause(0.3 if place == "chart" else 0)
            await rest(app, pilot)
            assert holds(app), f"{key}\n{text_of(app)}"


async def reset(app: Dashboard, pilot: Pilot[None], place: str) -> None:
    """As the dashboard was when it was opened."""
    app.clear_notifications()
    while len(app.screen_stack) > 1:
        app.pop_screen()
    app.screen.minimize()
    app.query_one(TourBar).end()
    app.action_live()
    app.theme = "loopworks-dark"
    app.action_go(place)
    await rest(app, pilot)
    if isinstance(app.view, ExperimentsView):
        app.view.action_clear()
    if isinstance(app.view, ChartView):
        app.view.action_revert()
    app.desk.select_position("vera")
    assert app.view is not None
    app.view.enter()
    app.view.draw()
    await rest(app, pilot)


def test_no_key_means_two_things_in_one_place() -> None:
    for where in {key.where for key in KEYS}:
        names = [name for key in KEYS if key.where in (where, "app") for name in key.keys.split(",")]
        assert len(names) == len(set(names)), where


def test_the_page_about_keys_is_fresh() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == markdown(), "run: python -m tui.keys"


async def test_what_is_typed_after_the_filter_key_goes_into_the_filter(finished: Path) -> None:
    async with opened(finished, "experiments") as (app, pilot):
        await pilot.press("slash", *"who:bob", "enter")
        await rest(app, pilot)
        view = app.view
        assert isinstance(view, ExperimentsView)
        assert view.rows.keys and {app.desk.shot.state.experiments[id].proposer for id in view.rows.keys} == {"bob"}

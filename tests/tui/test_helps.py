"""Every widget that shows something explains itself."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input, OptionList, TextArea

from tests.tui.kit import opened, rest, text_of
from tui.helps import HELPS, help_of
from tui.tabs import TABS
from tui.widgets.rows import Row
from tui.widgets.sheet import Sheet
from tui.widgets.table import Table
from tui.widgets.tour import TourBar

KINDS = (Sheet, Table, Row, TourBar, Input, TextArea, OptionList)


async def test_no_widget_is_without_help(finished: Path) -> None:
    seen: set[str] = set()
    async with opened(finished) as (app, pilot):
        for tab in TABS:
            app.action_go(tab)
            await rest(app, pilot)
        for widget in app.screen.walk_children():
            if isinstance(widget, KINDS) or widget.can_focus or widget.id == "banner":
                about = help_of(widget)
                assert about is not None and about.says, widget
                seen.add(widget.id or "")
    assert seen == set(HELPS), "help for what there is not"


async def test_help_begins_with_the_focused_pane(finished: Path) -> None:
    async with opened(finished, "slots") as (app, pilot):
        await pilot.press("question_mark")
        await rest(app, pilot)
        shown = text_of(app)
        assert shown.index("A lane a slot") < shown.index("the slot above")


async def test_help_names_the_panes_around_the_focused_one(finished: Path) -> None:
    async with opened(finished, size=(120, 90)) as (app, pilot):
        await pilot.press("question_mark")
        await rest(app, pilot)
        await pilot.press("end")
        await rest(app, pilot)
        assert "The other panes" in text_of(app) and "What happened last" in text_of(app)

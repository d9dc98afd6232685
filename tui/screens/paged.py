"""A table with a page about its row: side by side where there is room, one at a time where there is not."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.draw.ink import Line
from tui.screens.view import View
from tui.widgets.page import Page
from tui.widgets.sheet import Sheet
from tui.widgets.table import Table


class PagedView(View):
    """The frame of the experiments and the agents."""

    def table(self) -> Table:
        """A new table."""
        raise NotImplementedError

    def page(self, room: int) -> list[Line]:
        """The page about the row under the cursor."""
        raise NotImplementedError

    def moved(self, key: str) -> None:
        """The cursor stands on another row."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="panes"):
            table = self.table()
            table.add_class("pane")
            yield table
            yield Page(id=f"{self.id}-page", classes="pane side page")

    @property
    def rows(self) -> Table:
        return self.query_one(Table)

    @property
    def sheet(self) -> Sheet:
        return self.query_one(".page", Sheet)

    def enter(self) -> None:
        (self.sheet if self.narrow and self.has_class("-paged") else self.rows).focus()

    def action_open(self) -> None:
        """Narrow: the page instead of the table, and back. Wide: the focus goes to the page, and back."""
        self.toggle_class("-paged") if self.narrow else None
        on_page = self.has_class("-paged") if self.narrow else self.rows.has_focus
        (self.sheet if on_page else self.rows).focus()
        self.call_after_refresh(self.draw_page)

    def turn_to_page(self) -> None:
        """Narrow: show the page of what was just chosen."""
        if self.narrow and not self.has_class("-paged"):
            self.action_open()

    def draw_page(self) -> None:
        """Show the page, where it can be seen."""
        if self.sheet.size.width:
            self.sheet.show(self.page(self.sheet.size.width - 1))

    def on_page_laid(self) -> None:
        self.draw_page()

    def on_table_moved(self, event: Table.Moved) -> None:
        self.moved(event.key)
        self.sheet.scroll_home(animate=False)
        self.draw_page()

"""Tab 7: a batch's arms and contrasts, and its companies in a table of any length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input
from textual.worker import get_current_worker

from tui.batch_source import BatchSource, Results, batch_of
from tui.draw.batch import batch_lines, curve_lines, header, no_batch, replay_command, row_line, row_page
from tui.draw.ink import EMPTY, Line
from tui.draw.page import heading
from tui.screens.paged import PagedView
from tui.source import SourceError
from tui.widgets.bindings import bindings
from tui.widgets.page import Page
from tui.widgets.sheet import Sheet
from tui.widgets.table import Table

if TYPE_CHECKING:
    from company.batch.rows import Row

LOOK_S = 1.0
REST = 4.0  # times as long as a look took, before the next: intervals of a large batch take a while
LOW, HIGH = 10, 14  # lines of the curves in a narrow window, and at least where there is room
STATUSES = ("", "failed", "ok")


class BatchView(PagedView):
    """Looks while the batch is written, and only looks."""

    BINDINGS = bindings("batch")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: BatchSource | None = None
        self._trails: BatchSource | None = None  # for the screen's own thread
        self._results = Results()
        self._words: tuple[str, ...] = ()
        self._status = 0
        self._by_regret = False
        self._looking = False
        self._next = 0.0

    def compose(self) -> ComposeResult:
        yield Input(placeholder="words of an arm, a project, a seed or a reason", id="batch-filter", compact=True)
        with Vertical():
            with Horizontal(id="batch-arms"):
                yield Page(id="arms", classes="pane", title="batch")
                yield Sheet(id="batch-curves", classes="pane", title="regret so far over slot-seconds")
            yield from super().compose()

    def table(self) -> Table:
        return Table(header, self._line, id="batch-table")

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        found = batch_of(self.desk.directory)
        if found is not None:
            self._source, self._trails = BatchSource(found), BatchSource(found)
            self.set_interval(LOOK_S / 2, self._look_again)
            self._look_again()

    def on_unmount(self) -> None:
        if self._trails is not None:
            self._trails.close()

    def _look_again(self) -> None:
        if not self._looking and time.monotonic() >= self._next and self.display:
            self._looking = True
            self._look()

    @work(thread=True, group="batch")
    def _look(self) -> None:
        assert self._source is not None
        began, tell = time.monotonic(), self.app.call_from_thread
        try:
            found = self._source.read() if self._source.changed() else None
            problem = ""
        except SourceError as error:
            found, problem = None, str(error)
        self._next = time.monotonic() + max(LOOK_S, REST * (time.monotonic() - began))
        self._looking = False
        if not get_current_worker().is_cancelled:
            tell(self._looked, found, problem)

    def _looked(self, found: Results | None, problem: str) -> None:
        self.query_one("#arms").border_subtitle = problem[:200].replace("[", "(")
        if found is not None:
            self._results = found
            self.draw()

    def draw(self) -> None:
        rows = self._results.rows or {}
        self._draw_arms()
        found = [key for key, row in rows.items() if self._holds(row)]
        order: Callable[[int], float] = lambda key: rows[key].regret or 0.0  # noqa: E731
        self.rows.show([str(key) for key in (sorted(found, key=order, reverse=True) if self._by_regret else found)])
        shown = STATUSES[self._status]
        self.rows.border_title = f"companies {len(found)} of {len(rows)}" + (f", {shown}" if shown else "")
        self.rows.border_subtitle = "sorted: most regret" if self._by_regret else "sorted: row"
        self.sheet.border_title = "company"
        self.draw_page()

    def _draw_arms(self) -> None:
        """What was compared, and beside it, or below it in a narrow window, the best arms' curves."""
        arms, curves = self.query_one("#arms", Sheet), self.query_one("#batch-curves", Sheet)
        room = max(24, arms.size.width - 1)
        lines = batch_lines(self._results, room) if self._source is not None else no_batch()
        beside = bool(self._results.curves) and not self.narrow
        if beside != curves.display:
            curves.display = beside
            self.call_after_refresh(self._draw_arms)
        if self.narrow:
            drawn = curve_lines(self._results, room, LOW)
            lines += [EMPTY, *heading("Regret so far over slot-seconds", room), *drawn] if drawn else []
        arms.show(lines)
        most = max(8, self.size.height // 2)
        height = min(max(len(lines), HIGH if beside else 0) + 2, most)
        self.query_one("#batch-arms").styles.height = height if self._results.rows else "1fr"
        if beside and curves.size.width:
            curves.show(curve_lines(self._results, curves.size.width, curves.size.height))

    def page(self, room: int) -> list[Line]:
        key = self.rows.key
        if self._trails is None:
            return []
        try:
            trail = self._trails.trail(int(key)) if key else []
        except SourceError:
            trail = []
        return row_page(self._trails.directory, key, self._row(key), trail, room)

    def _row(self, key: str) -> Row | None:
        return (self._results.rows or {}).get(int(key)) if key else None

    def _line(self, key: str, room: int) -> Line:
        row = self._row(key)
        return row_line(key, row, room) if row is not None else EMPTY

    def _holds(self, row: Row) -> bool:
        status = STATUSES[self._status]
        text = f"{row.arm} {row.project} seed:{row.seed} {row.status} {row.stage} {row.reason}".casefold()
        return (not status or row.status == status) and all(word in text for word in self._words)

    def action_status(self) -> None:
        self._status = (self._status + 1) % len(STATUSES)
        self.draw()

    def action_order(self) -> None:
        self._by_regret = not self._by_regret
        self.draw()
        self.rows.cursor = 0

    def action_filter(self) -> None:
        field = self.query_one(Input)
        field.display = True
        self.screen.set_focus(field)

    def action_clear(self) -> None:
        if self.has_class("-paged"):
            self.action_open()
            return
        field = self.query_one(Input)
        field.value, field.display = "", False
        self._words, self._status = (), 0
        self.draw()
        self.rows.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._words = tuple(event.value.casefold().split())
        self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(Input).display = bool(event.value)
        self.rows.focus()

    def copied(self) -> str:
        key = self.rows.key
        return replay_command(self._source.directory, key) if self._source is not None and key else ""

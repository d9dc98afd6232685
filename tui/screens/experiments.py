"""Tab 2: every experiment in a table of any length, with a filter, and the page of the one under the cursor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from tui import filter as filters
from tui import orders
from tui.draw.experiment import Files, experiment_page
from tui.draw.experiments import ORDERS, header, row
from tui.draw.ink import Line
from tui.files import Shelf
from tui.screens.paged import PagedView
from tui.widgets.bindings import bindings
from tui.widgets.table import Table


class ExperimentsView(PagedView):
    """The filter stays as it was typed; marks are kept until they are taken off."""

    BINDINGS = bindings("experiments")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._filter = filters.parse("")
        self._order = 0
        self._picked: dict[str, None] = {}
        self._shelf: Shelf | None = None

    def compose(self) -> ComposeResult:
        yield Input(placeholder=filters.EXAMPLE, id="filter", compact=True)
        yield from super().compose()

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        self._shelf = Shelf(self.desk.directory)

    def on_unmount(self) -> None:
        if self._shelf is not None:
            self._shelf.close()

    def table(self) -> Table:
        return Table(
            header,
            lambda key, room: row(self.desk.shot, key, room, key in self._picked),
            id="experiment-table",
        )

    def draw(self) -> None:
        state = self.desk.shot.state
        if self.desk.experiment not in state.experiments and state.champion is not None:
            self.desk.experiment = state.champion.experiment
        found = [e for e in state.experiments.values() if self._filter.holds(state, e)]
        sort = list(ORDERS.values())[self._order]
        self.rows.show([e.id for e in sorted(found, key=lambda e: sort(self.desk.shot, e))])
        if self.rows.key != self.desk.experiment and not self.rows.select(self.desk.experiment):
            self.moved(self.rows.key)
        self.rows.border_subtitle = f"sorted: {list(ORDERS)[self._order]}"
        self.rows.border_title = f"experiments {len(found)} of {len(state.experiments)}"
        self.sheet.border_title = f"compared with {len(self._picked)}" if self._picked else "experiment"
        self.draw_page()

    def page(self, room: int) -> list[Line]:
        state = self.desk.shot.state
        experiment = state.experiments.get(self.desk.experiment)
        others = [
            state.experiments[id] for id in self._picked if id in state.experiments and id != self.desk.experiment
        ]
        files = self._shelf.files(experiment, others[:4]) if self._shelf and experiment else Files()
        return experiment_page(self.desk.shot, self.desk.experiment, files, room)

    def moved(self, key: str) -> None:
        self.desk.experiment = key

    def choose(self, key: str) -> None:
        """Put the cursor on an experiment, dropping a filter that hides it."""
        self.desk.experiment = key
        self.draw()
        if self.rows.key != key:
            self._drop_filter()
            self.rows.select(key)
        self.turn_to_page()

    def action_filter(self) -> None:
        field = self.query_one(Input)
        field.display = True
        self.screen.set_focus(field)  # at once: what is typed next belongs to the field

    def action_clear(self) -> None:
        if self.has_class("-paged"):
            self.action_open()
            return
        self._drop_filter()
        self.rows.focus()

    def _drop_filter(self) -> None:
        field = self.query_one(Input)
        field.value, field.display = "", False
        self._apply("")

    def action_order(self) -> None:
        self._order = (self._order + 1) % len(ORDERS)
        self.draw()
        self.rows.cursor = 0

    def action_pick(self) -> None:
        key = self.rows.key
        self._picked.pop(key) if key in self._picked else self._picked.update({key: None})
        self.draw()

    def action_stop(self) -> None:
        self.board.propose(lambda state: orders.stop(state, self.rows.key))

    def action_settle(self, approve: bool) -> None:
        self.board.propose(lambda state: orders.settle(state, self.rows.key, approve))

    def on_input_changed(self, event: Input.Changed) -> None:
        self._apply(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(Input).display = bool(event.value)
        self.rows.focus()

    def _apply(self, text: str) -> None:
        parsed = filters.parse(text)
        self.query_one(Input).set_class(bool(parsed.problem), "-invalid")
        self.board.banner("filter: " + parsed.problem if parsed.problem else "")
        if not parsed.problem:
            self._filter = parsed
        self.draw()

"""Tab 4: a lane a slot and the queue with its reasons."""

from __future__ import annotations

from textual.app import ComposeResult

from tui import orders
from tui.draw.slots import draw_slots
from tui.screens.view import View
from tui.widgets.bindings import bindings
from tui.widgets.sheet import Sheet


class SlotsView(View):
    """Bars move by the clock while an engine works."""

    BINDINGS = bindings("slots")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._slot = 0

    def compose(self) -> ComposeResult:
        yield Sheet(id="slot-lanes", classes="pane", can_focus=True, title="slots")

    def enter(self) -> None:
        self.query_one(Sheet).focus()

    def draw(self) -> None:
        if not self.desk.shot.is_founded:
            return
        sheet = self.query_one(Sheet)
        sheet.show(draw_slots(self.desk.shot, self.desk.elapsed(), max(20, sheet.size.width - 1), self._slot))

    def action_move(self, by: int) -> None:
        self._slot = min(max(0, self._slot + by), max(0, self.desk.shot.state.slots - 1))
        self.draw()
        self.query_one(Sheet).reveal(str(self._slot))

    def action_open(self) -> None:
        experiment = self._experiment()
        if experiment:
            self.board.open_experiment(experiment)

    def action_stop(self) -> None:
        self.board.propose(lambda state: orders.stop(state, state.running.get(self._slot, "")))

    def on_sheet_touched(self, event: Sheet.Touched) -> None:
        self._slot = int(event.spot)
        self.draw()

    def copied(self) -> str:
        return self._experiment()

    def _experiment(self) -> str:
        """What runs on the slot, or ran there last."""
        lane = self.desk.shot.lanes.get(self._slot)
        return lane[-1].experiment if lane else ""

"""The tour's bar over the footer: it takes no key and no focus, so that what it says can be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui.keys import KEYS, shown
from tui.places import TOUR, remember
from tui.tour import STOPS, Sight, keys_for

if TYPE_CHECKING:
    from tui.app import Dashboard

LOOK_S = 0.2


class TourBar(Static):
    """Hidden until it begins; ended for good by its last step or by a person."""

    def __init__(self) -> None:
        super().__init__(id="tour", markup=False)
        self._at = -1
        self._was = Sight()
        self._timer: Timer | None = None

    @property
    def on(self) -> bool:
        """Whether the tour is under way."""
        return self._at >= 0

    def begin(self) -> None:
        """Show the first step."""
        self._timer = self._timer or self.set_interval(LOOK_S, self._look)
        self._go(0)

    def advance(self) -> None:
        """Show the next step; after the last one the tour is over."""
        if self._at + 1 < len(STOPS):
            self._go(self._at + 1)
        elif self.on:
            self.end()

    def end(self) -> None:
        """Take the bar away and remember that the tour was seen."""
        if not self.on:
            return
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._at = -1
        self.set_class(False, "-shown")
        self.app.refresh_bindings()
        remember(TOUR)
        again = shown(next(key for key in KEYS if key.name == "app.tour"), self._board.visit.keymap).split(" ")[0]
        self.app.notify(f"that was the tour; {again} begins it again", markup=False, timeout=3)

    def _go(self, at: int) -> None:
        self._at, self._was = at, self._sight()
        self.set_class(True, "-shown")
        self.app.refresh_bindings()
        self._draw()

    def _draw(self) -> None:
        stop, keymap = STOPS[self._at], self._board.visit.keymap
        names = {key.name: shown(key, keymap).split(" ")[0] for key in KEYS}
        ends = f"{names['app.tour_on']} next   {names['app.tour']} ends the tour"
        self.update(
            Content.assemble(
                (f"tour {self._at + 1}/{len(STOPS)}  ", "bold $lw-accent"), stop.says, "\n",
                (keys_for(stop, keymap), "bold $lw-accent"), f" {stop.does}    ", (ends, "$lw-muted"),
            )
        )  # fmt: skip

    def _look(self) -> None:
        """Go on where a person has done what the step says."""
        if self.on and STOPS[self._at].done(self._was, self._sight()):
            self.advance()

    def _sight(self) -> Sight:
        board = self._board
        dialog = len(board.screen_stack) > 1
        return Sight(board.tab, board.desk.position, board.desk.replay, dialog)

    @property
    def _board(self) -> Dashboard:
        return cast("Dashboard", self.app)

"""What every tab is: a container that draws itself from the desk, when it is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.containers import Container

from tui.desk import Desk

if TYPE_CHECKING:
    from tui.app import Dashboard


class View(Container):
    """A tab. `draw` shows the desk; it is called when the desk changed and when the tab comes to the front."""

    ready = False  # its panes are there

    @property
    def board(self) -> Dashboard:
        """The app."""
        return cast("Dashboard", self.app)

    @property
    def desk(self) -> Desk:
        return self.board.desk

    @property
    def narrow(self) -> bool:
        """Whether there is room for one pane only."""
        return self.app.size.width < 100

    def draw(self) -> None:
        """Show the desk."""

    def enter(self) -> None:
        """Put the focus where keys are expected."""

    def choose(self, key: str) -> None:
        """Select something of this tab."""

    def copied(self) -> str:
        """What `y` copies."""
        return ""

    def on_resize(self) -> None:
        if self.display and self.ready:
            self.call_after_refresh(self.draw)

"""What every tab is: a container that draws itself from the desk, when it is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.containers import Container

from company.chart import OrgChart
from company.state import State
from tui import orders
from tui.desk import Desk
from tui.keys import interventions

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A dashboard that is read-only neither shows nor has the keys that step in."""
        return not (self.desk.readonly and action in interventions(self.id or ""))

    def sound_draft(self) -> OrgChart | None:
        """The chart that is being edited here, where there is one and it is sound."""
        return None

    def copied(self) -> str:
        """What `y` copies."""
        return ""

    def action_replace(self) -> None:
        """Replace the agent that is selected."""
        self.board.propose(lambda state: orders.replace(state, self.desk.agent))

    def action_reassign(self) -> None:
        """Choose another manager for the selected agent's position."""
        self._place("move", orders.move, elsewhere=True)

    def action_promote(self) -> None:
        """Choose a manager's seat for the selected agent."""
        self._place("promote", orders.promote)

    def _place(self, verb: str, make: Callable[[State, str, str], orders.Order | str], elsewhere: bool = False) -> None:
        state, position = self.desk.whole.state, self._position()
        if not position:
            self.board.refuse(f"{self.desk.agent or 'nobody'} holds no position: select somebody who does")
            return
        own = state.chart.manager_of(position) if elsewhere and position in state.holder else None
        choices = orders.managers(state, position, own)
        self.board.propose_one_of(f"{verb} {position} to", choices, lambda state, to: make(state, position, to))

    def _position(self) -> str:
        """Where the selected agent sits now, or the vacant position that is selected; "" where there is none."""
        agent = self.desk.whole.state.agents.get(self.desk.agent)
        if agent is not None:
            return agent.position if agent.status != "left" else ""
        return "" if self.desk.agent else self.desk.position

    def on_resize(self) -> None:
        if self.display and self.ready:
            self.call_after_refresh(self.draw)

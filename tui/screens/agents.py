"""Tab 3: everyone, with scores that show their evidence, and the page of the one under the cursor."""

from __future__ import annotations

from tui.draw.agent import agent_page
from tui.draw.agents import ORDERS, header, row
from tui.draw.ink import Line
from tui.screens.paged import PagedView
from tui.widgets.bindings import bindings
from tui.widgets.table import Table


class AgentsView(PagedView):
    """Those who left are hidden until they are asked for."""

    BINDINGS = bindings("agents")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._order = 0
        self._former = False

    def on_mount(self) -> None:
        self.sheet.border_title = "agent"

    def table(self) -> Table:
        return Table(
            header,
            lambda key, room: row(self.desk.shot, key, room),
            id="agent-table",
        )

    def draw(self) -> None:
        state = self.desk.shot.state
        if not self.desk.shot.is_founded:
            return
        everyone = [*[state.agents[id] for p in state.chart.positions if (id := state.holder.get(p.id))]]
        everyone += [agent for agent in state.agents.values() if agent.status == "left"] if self._former else []
        order = list(ORDERS.values())[self._order]
        self.rows.show([agent.id for agent in sorted(everyone, key=lambda agent: order(self.desk.shot, agent))])
        if self.rows.key != self.desk.agent and not self.rows.select(self.desk.agent):
            self.moved(self.rows.key)
        left = sum(agent.status == "left" for agent in state.agents.values())
        self.rows.border_subtitle = f"sorted: {list(ORDERS)[self._order]}"
        self.rows.border_title = f"agents {len(state.holder)}" + (f", {left} left (f)" if left else "")
        self.draw_page()

    def page(self, room: int) -> list[Line]:
        return agent_page(self.desk.shot, self.desk.agent, room)

    def moved(self, key: str) -> None:
        self.desk.select_agent(key)

    def choose(self, key: str) -> None:
        """Put the cursor on an agent, also on one who left."""
        found = self.desk.shot.state.agents.get(key)
        self._former = self._former or (found is not None and found.status == "left")
        self.desk.select_agent(key)
        self.draw()
        self.turn_to_page()

    def action_order(self) -> None:
        self._order = (self._order + 1) % len(ORDERS)
        self.draw()
        self.rows.cursor = 0

    def action_former(self) -> None:
        self._former = not self._former
        self.draw()

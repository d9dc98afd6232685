"""Tab 1: the organisation as team cards, the news below, the selected agent at the right where there is room."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from company.snapshot import Snapshot
from tui.draw.agent import agent_page
from tui.draw.news import news
from tui.draw.org import LAYOUTS, draw_org, neighbour
from tui.draw.progress import draw_progress
from tui.draw.status import models_words
from tui.draw.teams import company_team
from tui.screens.view import View
from tui.widgets.bindings import bindings
from tui.widgets.page import Page
from tui.widgets.sheet import Sheet

NEWS, FEW, FRAME = 9, 5, 2  # lines of the news, of the news in a low window, and of a pane's frame
LEAST, MOST = 9, 20  # lines of the picture of the research
PATIENCE = 30  # times that a drawing of it took, before the next


class OrgView(View):
    """The home of the dashboard."""

    BINDINGS = bindings("org")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._folded: set[str] = set()
        self._arrangement = 0
        self._pictured: tuple[object, ...] = (None, 0, None, "")  # what the picture of the research shows
        self._again = 0.0  # when it may be drawn next
        self._late: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(classes="panes"):
            with Vertical(classes="main"):
                yield Sheet(id="org-chart", classes="pane", can_focus=True, title="organisation")
                yield Sheet(id="org-best", classes="pane", title="research")
                yield Sheet(id="org-news", classes="pane", title="news")
            yield Page(id="org-side", classes="pane side", title="agent")

    def enter(self) -> None:
        self.query_one("#org-chart").focus()

    def draw(self) -> None:
        shot = self.desk.shot
        if not shot.is_founded:
            return
        if self.desk.position not in shot.state.holder:
            self.desk.select_position(shot.state.chart.root)
        self._draw_people(shot)
        self._tell_costs(shot)
        self._share(len(self.query_one("#org-chart", Sheet).drawing.lines))
        self._draw_research()
        story = self.query_one("#org-news", Sheet)
        story.show(news(shot, story.size.height, story.size.width))

    def _tell_costs(self, shot: Snapshot) -> None:
        """Below the chart: what language models took, where one was asked, and the layout, where it was chosen."""
        costs, layout = models_words(shot), LAYOUTS[self._arrangement] if self._arrangement else ""
        told = [f"models {costs}"] if costs else []
        self.query_one("#org-chart").border_subtitle = "  ".join([*told, *([layout] if layout else [])])

    def _draw_people(self, shot: Snapshot) -> None:
        """The chart and who is selected in it: all that a key of the arrows changes."""
        chart, side = self.query_one("#org-chart", Sheet), self.query_one("#org-side", Sheet)
        team = company_team(shot, self._folded)
        height = self.size.height - self._news_height() - FRAME
        chart.show(draw_org(team, chart.size.width, self.desk.position, LAYOUTS[self._arrangement], height))
        if side.size.width:
            side.show(agent_page(shot, self.desk.agent, side.size.width - 1, short=True))

    def _draw_research(self) -> None:
        """The picture of the research, where something has changed; in a long company not oftener than it is cheap."""
        best, shot, now = self.query_one("#org-best", Sheet), self.desk.shot, time.monotonic()
        wanted = (shot, shot.seq, best.size, self.app.theme)
        if not best.display or wanted == self._pictured:
            return
        if shot is self._pictured[0] and best.size == self._pictured[2] and now < self._again:
            if self._late is None:
                self._late = self.set_timer(self._again - now, self._draw_late)
            return
        best.show(draw_progress(shot, best.size.width, best.size.height))
        self._pictured, self._again = wanted, now + PATIENCE * (time.monotonic() - now)

    def _draw_late(self) -> None:
        self._late = None
        self._draw_research()

    def _share(self, lines: int) -> None:
        """Give the picture of the research what the chart leaves free."""
        chart, best = self.query_one("#org-chart", Sheet), self.query_one("#org-best", Sheet)
        news = self._news_height()
        self.query_one("#org-news", Sheet).styles.height = news
        free = self.size.height - news - lines - FRAME
        best.display = free >= LEAST
        best.styles.height = min(free, MOST) if best.display else 0
        wanted = self.size.height - news - (min(free, MOST) if best.display else 0)
        if chart.styles.height is None or chart.styles.height.value != wanted:
            chart.styles.height = wanted
            self.call_after_refresh(self.draw)

    def _news_height(self) -> int:
        return NEWS if self.size.height >= 28 else FEW

    def action_move(self, direction: str) -> None:
        chart = self.query_one("#org-chart", Sheet)
        self._select(neighbour(chart.drawing, self.desk.position, direction))

    def on_sheet_touched(self, event: Sheet.Touched) -> None:
        if event.spot == self.desk.position:
            self.action_open()
        self._select(event.spot)

    def action_open(self) -> None:
        self.board.open_agent(self.desk.agent)

    def action_fold(self) -> None:
        self._folded ^= {self.desk.position}
        self.draw()

    def action_zoom(self) -> None:
        self._arrangement = (self._arrangement + 1) % len(LAYOUTS)
        self.draw()

    def _select(self, position: str) -> None:
        self.desk.select_position(position)
        self._draw_people(self.desk.shot)
        self.query_one("#org-chart", Sheet).reveal(position)
        self.query_one("#org-side", Sheet).scroll_home(animate=False)

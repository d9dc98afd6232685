"""Tab 5: the company over time; the cursor is the moment that every tab shows."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from company.snapshot import Mark
from tui.draw.ink import Line, fill, restyle
from tui.draw.news import mark_line
from tui.draw.timeline import NAME, Scale, draw_timeline
from tui.moments import near, parse_moment
from tui.screens.view import View
from tui.widgets.ask import Ask
from tui.widgets.bindings import bindings
from tui.widgets.sheet import Sheet

FRAME, LEAST = 2, 8  # lines of a pane's frame, and of the lanes where there is little room


class TimelineView(View):
    """Lanes above, the story around the cursor below."""

    BINDINGS = bindings("timeline")

    def compose(self) -> ComposeResult:
        with Vertical(classes="panes"):
            yield Sheet(id="lanes", classes="pane", can_focus=True, title="timeline")
            yield Sheet(id="story", classes="pane", title="what happened")

    def enter(self) -> None:
        self.query_one("#lanes").focus()

    def draw(self) -> None:
        if not self.desk.shot.is_founded:
            return
        lanes, story = self.query_one("#lanes", Sheet), self.query_one("#story", Sheet)
        lanes.show(draw_timeline(self.desk.whole, self.desk.shot, lanes.size.width - 1))
        wanted = min(len(lanes.drawing.lines) + FRAME, max(LEAST, self.size.height * 2 // 3))
        if lanes.styles.height is None or lanes.styles.height.value != wanted:
            lanes.styles.height = wanted
            self.call_after_refresh(self.draw)
        story.show(self._around(story.size.height, story.size.width))

    def action_shift(self, sign: int) -> None:
        """A column on: to the first moment there, or to the last one before."""
        scale = self._scale()
        at = scale.time(scale.cell(self.desk.shot.at) + sign)
        marks = [mark for mark in self.desk.whole.story if (mark.at >= at if sign > 0 else mark.at <= at)]
        self.board.show_moment((marks[0] if sign > 0 else marks[-1]).seq if marks else self._edge(sign))

    def action_end(self, sign: int) -> None:
        self.board.show_moment(self._edge(sign))

    def action_time(self) -> None:
        self.app.push_screen(Ask("go to", "a time like 90 or 12:30, or an event like #420", parse_moment), self._went)

    def on_sheet_touched(self, event: Sheet.Touched) -> None:
        self.board.open_agent(event.spot)

    def copied(self) -> str:
        return "\n".join("".join(text for text, _ in line).strip() for line in self._around(9, 200))

    def _went(self, text: str | None) -> None:
        moment = parse_moment(text or "")
        if not isinstance(moment, str):
            marks = [mark for mark in self.desk.whole.story if moment.includes(mark)]
            self.board.show_moment(moment.seq or (marks[-1].seq if marks else 1))

    def _edge(self, sign: int) -> int:
        return self.desk.whole.seq if sign > 0 else 1

    def _scale(self) -> Scale:
        width = self.query_one("#lanes", Sheet).size.width - 1
        return Scale(max(self.desk.whole.at, 1e-9), max(8, width - NAME))

    def _around(self, height: int, room: int) -> list[Line]:
        """The story before and after the cursor, the present line marked."""
        marks, here = near(list(self.desk.whole.story), self.desk.shot.seq, height)
        return [self._line(mark, index == here, room) for index, mark in enumerate(marks)]

    def _line(self, mark: Mark, present: bool, room: int) -> Line:
        shown = mark_line(mark, room)
        if present:
            return restyle(fill(shown, room), "select b")
        return shown if mark.seq <= self.desk.shot.seq else tuple((text, "faint") for text, _ in shown)

"""A chart's YAML with live checks, a preview of the last sound one, and its problems by line and column."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import TextArea
from textual.worker import get_current_worker

from company.chart import OrgChart
from tui.drafts import Draft, changes, check, diff_lines, problem_lines
from tui.draw.org import draw_org
from tui.draw.teams import chart_team
from tui.elsewhere import ElsewhereError, edit_elsewhere
from tui.screens.view import View
from tui.widgets.bindings import bindings
from tui.widgets.page import Page
from tui.widgets.sheet import Sheet
from tui.widgets.yaml_area import YamlArea

PAUSE_S = 0.2  # after the last key, before a check
MEND = "mend the problems first (F8 goes to the next)"


class EditorView(View):
    """The editor; what its text is compared with, and where it goes, is up to who extends it."""

    BINDINGS = bindings("chart")
    against = "the chart in force"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.base: OrgChart | None = None
        self.base_text = ""
        self._draft: Draft | None = None
        self._sound: OrgChart | None = None
        self._diff = False
        self._current = -1
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(classes="panes"):
            area = YamlArea(id="yaml")
            area.add_class("pane")
            area.border_title = "chart.yaml"
            yield area
            with Vertical(classes="main"):
                yield Page(id="preview", classes="pane", title="preview")
                yield Sheet(id="problems", classes="pane", title="problems")

    def enter(self) -> None:
        self.query_one("#preview").focus()

    @property
    def area(self) -> YamlArea:
        return self.query_one(YamlArea)

    @property
    def checked(self) -> bool:
        """Whether what is said of the text is about the text as it is now."""
        return self._draft is not None and self._draft.text == self.area.text

    def sound_draft(self) -> OrgChart | None:
        """The chart that the text is now, None where it is none; never that of an earlier text."""
        draft = self._draft if self.checked else None
        return (draft or check(self.area.text)).chart

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, lambda: self._check(self.area.text))

    @work(thread=True, exclusive=True)
    def _check(self, text: str) -> None:
        draft, worker = check(text), get_current_worker()
        if not worker.is_cancelled:
            self.app.call_from_thread(self._checked, draft)

    def _checked(self, draft: Draft) -> None:
        self._draft, self._current = draft, -1
        self._sound = draft.chart or self._sound
        self.area.mark({problem.line for problem in draft.problems})
        self.show()

    def show(self) -> None:
        """Show preview or differences, and the problems."""
        preview, problems = self.query_one("#preview", Sheet), self.query_one("#problems", Sheet)
        shown = self._sound or self.base
        found = self._draft.problems if self._draft else ()
        room = max(20, preview.size.width - 1)
        if self._diff and shown is not None and self.base is not None:
            base = check(self.base_text).chart or self.base
            preview.show(diff_lines(changes(base, shown), room, self.against))
        elif shown is not None:
            preview.show(draw_org(chart_team(shown), room))
        stale = " (the last sound one)" if found else ""
        preview.border_title = ("diff" if self._diff else "preview") + stale
        differs = self._draft is not None and self._draft.text != self.base_text
        self.area.border_title = "chart.yaml" + (" (edited)" if differs else "")
        problems.show(problem_lines(found, max(20, problems.size.width - 1), self._current))
        problems.border_title = f"problems {len(found)}" if found else "problems"

    def action_edit(self) -> None:
        self.screen.set_focus(self.area)  # at once: what is typed next belongs to the text

    def action_leave(self) -> None:
        self.enter()

    def action_problem(self) -> None:
        found = self._draft.problems if self._draft else ()
        if not found:
            self.app.notify("no problem in this chart", markup=False)
            return
        self._current = (self._current + 1) % len(found)
        problem = found[self._current]
        self.area.move_cursor((max(0, problem.line - 1), max(0, problem.column - 1)), center=True)
        self.area.focus()
        self.show()

    def action_diff(self) -> None:
        self._diff = not self._diff
        self.show()

    def action_revert(self) -> None:
        self.area.load_text(self.base_text)
        self._check(self.base_text)

    def action_elsewhere(self) -> None:
        try:
            text = edit_elsewhere(self.app, self.area.text)
        except ElsewhereError as error:
            self.app.notify(f"{error}; the text is as it was", severity="warning", markup=False)
            return
        if text != self.area.text:
            self.area.load_text(text)
        self._check(text)

    def copied(self) -> str:
        return self.area.selected_text or self.area.text

"""Tab 6: the chart's YAML with live checks; the preview keeps the last sound one."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import TextArea
from textual.worker import get_current_worker

from company.chart import OrgChart
from tui.drafts import Draft, changes, check, diff_lines, problem_lines, text_in_force
from tui.draw.org import draw_org
from tui.draw.teams import chart_team
from tui.screens.view import View
from tui.widgets.ask import Ask
from tui.widgets.bindings import bindings
from tui.widgets.page import Page
from tui.widgets.sheet import Sheet
from tui.widgets.yaml_area import YamlArea

PAUSE_S = 0.2  # after the last key, before a check


class ChartView(View):
    """What is edited here changes nothing in the company: it is saved as a file to found another one with."""

    BINDINGS = bindings("chart")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._force: OrgChart | None = None
        self._force_text = ""
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
                preview = Page(id="preview", classes="pane")
                preview.border_title = "preview"
                yield preview
                problems = Sheet(id="problems", classes="pane")
                problems.border_title = "problems"
                yield problems

    def enter(self) -> None:
        self.query_one("#preview").focus()

    def draw(self) -> None:
        state = self.desk.shot.state
        if not self.desk.shot.is_founded:
            return
        if self._force is None or self._force != state.chart:
            untouched = self.area.text in ("", self._force_text)
            self._force, self._force_text = state.chart, text_in_force(self.desk.directory, state.chart)
            if untouched:
                self.action_revert()
        self._show()

    @property
    def area(self) -> YamlArea:
        return self.query_one(YamlArea)

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
        self._show()

    def _show(self) -> None:
        preview, problems = self.query_one("#preview", Sheet), self.query_one("#problems", Sheet)
        shown = self._sound or self._force
        if shown is None or self._force is None:
            return
        found = self._draft.problems if self._draft else ()
        differs = self._draft is not None and self._draft.text != self._force_text
        room = max(20, preview.size.width - 1)
        if self._diff:
            base = check(self._force_text).chart or self._force
            preview.show(diff_lines(changes(base, shown), room))
        else:
            preview.show(draw_org(chart_team(shown), room))
        stale = " (the last sound one)" if found else ""
        preview.border_title = ("diff" if self._diff else "preview") + stale
        self.area.border_title = "chart.yaml" + (" (edited)" if differs else "")
        problems.show(problem_lines(found, max(20, problems.size.width - 1), self._current))
        problems.border_title = f"problems {len(found)}" if found else "problems"

    def action_edit(self) -> None:
        self.area.focus()

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
        self._show()

    def action_diff(self) -> None:
        self._diff = not self._diff
        self._show()

    def action_revert(self) -> None:
        self.area.load_text(self._force_text)
        self._check(self._force_text)

    def action_save(self) -> None:
        if self._draft is None or self._draft.chart is None or self._draft.text != self.area.text:
            self.app.notify("mend the problems first (F8 goes to the next)", severity="warning", markup=False)
            return
        name = f"{self.desk.shot.state.chart.company[:40].replace('/', '_')}-2.yaml"
        self.app.push_screen(Ask("save as", "a new file; then: loopworks run FILE", _refuse, name), self._save)

    def _save(self, name: str | None) -> None:
        if not name:
            return
        try:
            with Path(name).open("x", encoding="utf-8") as file:
                file.write(self.area.text)
        except OSError as error:
            self.app.notify(f"not saved: {error.strerror}", severity="error", markup=False)
            return
        self.app.notify(f"saved; found a company with it: loopworks run {name}", markup=False)

    def copied(self) -> str:
        return self.area.selected_text or self.area.text


def _refuse(name: str) -> str | None:
    """Why a file cannot be written, None where it can."""
    path = Path(name)
    if not name.strip():
        return "a name is needed"
    if path.exists():
        return "there is such a file already: choose another name"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}"

"""Tab 6: the chart of the company, edited, applied as a revision, taken back."""

from __future__ import annotations

from pathlib import Path

from company.chart import OrgChart
from company.state import State
from tui import orders
from tui.drafts import changes, check, same, text_in_force
from tui.screens.editor import MEND, EditorView
from tui.widgets.ask import Ask

LIVE_KEEPS = ("company", "mission", "budget", "talent")


class ChartView(EditorView):
    """Nothing changes before a draft is applied, and then it is the engine that changes it."""

    def draw(self) -> None:
        if not self.desk.shot.is_founded:
            return
        chart = self.desk.shot.state.chart
        if self.base is None or self.base != chart:
            self._rebase(chart)
        self.show()

    def _rebase(self, chart: OrgChart) -> None:
        """Another chart is in force: a draft that says the same has become it, any other is kept as it was typed."""
        text, first = self.area.text, self.base is None
        untouched, draft = text == self.base_text, check(text).chart
        self.base = chart
        if not first and draft is not None and same(draft, chart):
            self.base_text = text
            return
        self.base_text = text_in_force(self.desk.directory, chart)
        if untouched:
            self.action_revert()
        elif not first:
            self.app.notify("another chart is in force now: F2 shows what differs, F4 takes it", markup=False)

    def action_apply(self) -> None:
        """Ask whether the company shall become what the text says."""
        if self.sound_draft() is None:
            self.app.notify(MEND, severity="warning", markup=False)
            self._check(self.area.text)
            return
        self.board.propose(self._order)

    def _order(self, state: State) -> orders.Order | str:
        draft = self.sound_draft()
        assert draft is not None
        base = check(self.base_text).chart or state.chart
        left = [str(change) for change in changes(base, draft) if change.kind in LIVE_KEEPS]
        return orders.apply_chart(state, draft, left)

    def action_undo(self) -> None:
        self.board.propose(lambda state: orders.undo(state, orders.last_revision(state)))

    def action_save(self) -> None:
        if self.sound_draft() is None:
            self.app.notify(MEND, severity="warning", markup=False)
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


def _refuse(name: str) -> str | None:
    """Why a file cannot be written, None where it can."""
    path = Path(name)
    if not name.strip():
        return "a name is needed"
    if path.exists():
        return "there is such a file already: choose another name"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}"

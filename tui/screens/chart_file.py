"""A chart file without a run: edited, checked and saved in place."""

from __future__ import annotations

from pathlib import Path

from company.chart_problems import ChartError
from company.chart_yaml import read_text, save_chart
from tui.drafts import check
from tui.screens.editor import MEND, EditorView


class ChartFileView(EditorView):
    """Comments and order are the file's own; what is saved is saved whole or not at all."""

    against = "the file"

    def __init__(self, path: Path, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.path = path
        self._warned = ""  # the text on disk that a person was told of

    def on_mount(self) -> None:
        self.base_text = read_text(self.path) if self.path.exists() else ""
        self.base = check(self.base_text).chart
        self.action_revert()

    def enter(self) -> None:
        self.area.focus()

    def action_leave(self) -> None:
        super().enter()

    def draw(self) -> None:
        self.show()

    def action_save(self) -> None:
        draft, text = self.sound_draft(), self.area.text
        if draft is None:
            self.app.notify(MEND, severity="warning", markup=False)
            return
        disk = self._on_disk()
        if disk not in (self.base_text, text, self._warned):
            self._warned = disk
            words = "the file has changed on disk: ctrl+s again puts yours in its place, F4 takes the other"
            self.app.notify(words, severity="warning", markup=False)
            return
        try:
            save_chart(draft, self.path, onto=text)
        except OSError as error:
            self.app.notify(f"not saved: {error.strerror}", severity="error", markup=False)
            return
        self.base, self.base_text, self._warned = draft, text, ""
        self.app.notify(f"saved; found a company with it: loopworks run {self.path}", markup=False)
        self.show()

    def action_revert(self) -> None:
        """Back to what the file says now."""
        disk = self._on_disk()
        if disk != self.base_text:
            self.base, self.base_text, self._warned = check(disk).chart or self.base, disk, ""
        super().action_revert()

    def action_apply(self) -> None:
        self.app.notify("no company works by this file: ctrl+s saves it, loopworks run founds one", markup=False)

    def action_undo(self) -> None:
        self.action_apply()

    def _on_disk(self) -> str:
        try:
            return read_text(self.path)
        except ChartError:
            return ""

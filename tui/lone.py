"""What `loopworks tui` opens beside runs: a chart file or a batch. One view, with the keys that serve it."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Footer

from tui.batch_source import RESULTS
from tui.desk import Desk
from tui.in_order import InOrder
from tui.palette import PALETTES
from tui.screens.view import View
from tui.themes import themes
from tui.widgets.bindings import bindings
from tui.widgets.help import Help

OWN = ("app.copy", "app.maximise", "app.theme", "app.help", "app.quit")


def is_lone(path: Path) -> bool:
    """Whether a path is a chart file or a batch's directory."""
    return (path.is_file() and path.suffix in (".yaml", ".yml")) or (path / RESULTS).is_file()


def lone_app(path: Path, theme: str) -> App[None] | None:
    """The app for a chart file or a batch's directory; None for what is neither."""
    if not is_lone(path):
        return None
    if path.is_file():
        from tui.screens.chart_file import ChartFileView

        return Lone(ChartFileView(path, id="chart"), str(path), theme)
    from tui.screens.batch import BatchView

    return Lone(BatchView(id="batch"), str(path), theme)


class Lone(InOrder):
    """One view, without a company."""

    CSS_PATH = "app.tcss"
    TITLE = "Loopworks"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [each for each in bindings("app") if isinstance(each, Binding) and each.id in OWN]  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (150, "-huge")]  # noqa: RUF012

    def __init__(self, view: View, name: str, theme: str) -> None:
        super().__init__()
        for each in themes():
            self.register_theme(each)
        self.theme = theme
        self.view = view
        self.desk = Desk(Path(name))  # nobody's: views look at it

    def compose(self) -> ComposeResult:
        yield self.view
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.call_after_refresh(self._entered)

    def is_settled(self) -> bool:
        return self.view.ready

    def _entered(self) -> None:
        self.view.ready = True
        self.view.draw()
        self.view.enter()

    def action_theme(self) -> None:
        names = list(PALETTES)
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_maximise(self) -> None:
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.focused is not None:
            self.screen.maximize(self.focused)

    def action_copy(self) -> None:
        text = self.view.copied()
        if text:
            self.copy_to_clipboard(text)
            self.notify("copied", markup=False, timeout=2)

    def action_help(self) -> None:
        self.push_screen(Help(self.view.id or "app"))

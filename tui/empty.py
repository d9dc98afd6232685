"""What is shown where there is no run yet: the commands that make one."""

from __future__ import annotations

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, Static

from tui.themes import themes

STEPS = (
    ("loopworks run", "found a company and let it do research; then come back here"),
    ("loopworks run solo --project digits --experiments 6", "a small one, done in a minute"),
    ("loopworks tui --demo", "a tour on a company that comes along"),
    ("loopworks tui DIR", "look at a run somewhere else"),
)


class Empty(App[None]):
    """Nothing to look at yet."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [Binding("q,escape", "quit", "quit")]  # noqa: RUF012

    def __init__(self, where: str, theme: str = "loopworks-dark") -> None:
        super().__init__()
        for each in themes():
            self.register_theme(each)
        self.theme = theme
        self._where = where

    def compose(self) -> ComposeResult:
        text = Text.assemble(("No run here yet", "bold"), f"\n{self._where} holds none.\n")
        for command, says in STEPS:
            text.append("\n")
            text.append(command, "bold green")
            text.append(f"\n{says}\n", "dim")
        yield Static(text, id="empty")
        yield Footer(show_command_palette=False)

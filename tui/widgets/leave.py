"""What becomes of the engine that was started together with the dashboard."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.visit import Left

CHOICES: tuple[tuple[Left, str], ...] = (
    ("leave", "l  leave the company at work"),
    ("stop", "s  stop it cleanly: it can be resumed, and its history stays the same"),
)


class Leave(ModalScreen[Left | None]):
    """Gives "leave" or "stop", or None to stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss(None)", show=False),
        Binding("l", "dismiss('leave')", show=False),
        Binding("s", "dismiss('stop')", show=False),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog leave") as box:
            box.border_title = "the company is at work"
            yield OptionList(*(Option(Text(words)) for _, words in CHOICES))
            yield Static("enter chooses   esc stays here", markup=False, classes="hint")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(CHOICES[event.option_index][0])

"""What waits for a person, one under another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from company.wording import plain


@dataclass(frozen=True, slots=True)
class Need:
    """A request by its name, "" for what only a command can mend; what is wanted, and why."""

    id: str
    words: str
    because: str


class Needs(ModalScreen[tuple[str, bool] | None]):
    """Gives (request, whether to approve it), or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,exclamation_mark", "dismiss(None)", show=False),
        Binding("a,enter", "settle(True)", show=False, priority=True),
        Binding("x", "settle(False)", show=False),
    ]

    def __init__(self, needs: Sequence[Need]) -> None:
        super().__init__()
        self._needs = needs

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog needs") as box:
            box.border_title = "what needs you"
            listed = OptionList()
            listed.add_options(Option(_text(need)) for need in self._needs)
            yield listed
            yield Static(markup=False, classes="hint", id="because")
            yield Static("enter or a approves, x refuses (each asks first)   esc closes", markup=False, classes="hint")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one("#because", Static).update(plain(self._needs[event.option_index].because, 400))

    def action_settle(self, approve: bool) -> None:
        index = self.query_one(OptionList).highlighted
        need = self._needs[index] if index is not None else None
        self.dismiss((need.id, approve) if need is not None and need.id else None)


def _text(need: Need) -> Text:
    return Text.assemble((f"{need.id or '!':5}", "bold"), plain(need.words, 200))

"""Go to anything by name: a tab, an agent, an experiment, a theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

MOST = 40


@dataclass(frozen=True, slots=True)
class Target:
    """Something to go to. `kind` and `id` say what, `words` are what is looked through and shown."""

    kind: str
    id: str
    words: str


class GoTo(ModalScreen[Target | None]):
    """Gives what was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(
        self, targets: Sequence[Target], title: str = "go to", hint: str = "a tab, an agent, an experiment, a theme"
    ) -> None:
        super().__init__()
        self._targets, self._says, self._hint = targets, title, hint
        self._found: list[Target] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog goto") as box:
            box.border_title = Content(self._says)  # pyright: ignore[reportAttributeAccessIssue]
            yield Input(placeholder=self._hint, compact=True)
            listed = OptionList()
            listed.can_focus = False
            yield listed

    def on_mount(self) -> None:
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def on_input_submitted(self) -> None:
        index = self.query_one(OptionList).highlighted
        self.dismiss(self._found[index] if index is not None and self._found else None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index])

    def action_move(self, by: int) -> None:
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if by > 0 else listed.action_cursor_up()

    def _show(self, text: str) -> None:
        self._found = list(matching(self._targets, text))[:MOST]
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(Option(Text.assemble((f"{t.kind:11}", "dim"), t.words)) for t in self._found)
        if self._found:
            listed.highlighted = 0


def matching(targets: Iterable[Target], text: str) -> Iterable[Target]:
    """The targets whose words hold every part of the text; those that begin with it first."""
    parts = text.casefold().split()
    found = [t for t in targets if all(part in f"{t.kind} {t.words}".casefold() for part in parts)]
    return sorted(found, key=lambda t: not t.words.casefold().startswith(parts[0])) if parts else found

"""A question with one line for an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Ask(ModalScreen[str | None]):
    """Gives the answer, or None. `check` returns a str when it finds something wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, title: str, hint: str, check: Callable[[str], Any], value: str = "") -> None:
        super().__init__()
        self._asks, self._hint, self._wrong, self._value = title, hint, check, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = self._asks
            yield Input(self._value, placeholder=self._hint, compact=True)
            yield Static(self._hint, markup=False, classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        wrong = self._wrong(event.value)
        if isinstance(wrong, str):
            self.query_one(".hint", Static).update(wrong)
            self.query_one(".hint").add_class("-bad")
        else:
            self.dismiss(event.value)

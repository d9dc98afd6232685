"""An order to be confirmed: evidence and consequence, a reason where one is kept, then the engine's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.draw.order import order_lines
from tui.orders import Order
from tui.widgets.page import Page

ROOM = 72
Give = Callable[[Order, str, "Confirm"], None]


class Confirm(ModalScreen[None]):
    """Enter gives the order through `give`, which tells the answer; Esc leaves everything as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("enter", "confirm", show=False),
        Binding("up", "roll(-1)", show=False, priority=True),
        Binding("down", "roll(1)", show=False, priority=True),
        Binding("pageup", "roll(-8)", show=False, priority=True),
        Binding("pagedown", "roll(8)", show=False, priority=True),
    ]

    def __init__(self, order: Order, give: Give) -> None:
        super().__init__()
        self._order, self._give = order, give
        self._stage = "asks"  # asks | waits | told

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog confirm") as box:
            box.border_title = Content(self._order.title)  # pyright: ignore[reportAttributeAccessIssue]
            page = Page(classes="evidence")
            page.can_focus = not self._order.reason
            yield page
            if self._order.reason:
                yield Input(placeholder="because (kept in the record; may stay empty)", max_length=300, compact=True)
            yield Static(f"enter {self._order.verb}   esc leaves everything as it is", markup=False, classes="hint")

    def on_mount(self) -> None:
        self.query_one(Page).focus() if not self._order.reason else self.query_one(Input).focus()
        self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        page = self.query_one(Page)
        room = max(24, page.size.width - 1) if page.size.width else ROOM
        lines = order_lines(self._order, room)
        page.show(lines)
        page.styles.height = max(3, min(len(lines), self.app.size.height - 8))

    def tell(self, text: str, style: str = "", last: bool = True) -> None:
        """Say how it stands with the order; `last` when nothing more is to come."""
        self._stage = "told" if last else "waits"
        hint = self.query_one(".hint", Static)
        hint.set_classes(f"hint {style}")
        hint.update(f"{text}\nenter or esc closes" if last else f"{text}\nesc closes; the answer is told anyway")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_confirm()

    def action_confirm(self) -> None:
        if self._stage == "told":
            self.dismiss(None)
        elif self._stage == "asks":
            field = self.query(Input)
            reason = field.first().value.strip() if field else ""
            field.set(disabled=True)
            self.tell("sending", last=False)
            self._give(self._order, reason, self)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_roll(self, by: int) -> None:
        self.query_one(Page).scroll_relative(y=by, animate=False)

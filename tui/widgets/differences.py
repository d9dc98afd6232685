"""What differs between two charts, over whatever is open; the arrows choose which two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from company.snapshot import Mark
from tui.revisions import Side, between
from tui.widgets.page import Page

ROOM = 76


class Differences(ModalScreen[None]):
    """The last two at first; left and right take another pair, brackets another older side of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,D,q,enter", "dismiss(None)", show=False),
        Binding("left,h", "step(-1)", show=False, priority=True),
        Binding("right,l", "step(1)", show=False, priority=True),
        Binding("left_square_bracket", "older(-1)", show=False),
        Binding("right_square_bracket", "older(1)", show=False),
    ]

    def __init__(self, sides: Sequence[Side], marks: Sequence[Mark]) -> None:
        super().__init__()
        self._sides, self._marks = sides, marks
        self._to = len(sides) - 1
        self._from = max(0, self._to - 1)

    def compose(self) -> ComposeResult:
        page = Page(classes="dialog differences")
        page.border_subtitle = "← → next pair   \\[ ] its older side   esc closes"
        yield page

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        page = self.query_one(Page)
        one, other = self._sides[self._from], self._sides[self._to]
        page.border_title = Content(other.name if one is other else f"{one.name} → {other.name}")  # pyright: ignore[reportAttributeAccessIssue]
        room = max(24, page.size.width - 1) if page.size.width else ROOM
        page.show(between(one, other, self._marks, room))

    def action_step(self, by: int) -> None:
        """Another chart, with the one before it."""
        self._to = min(max(0, self._to + by), len(self._sides) - 1)
        self._from = max(0, self._to - 1)
        self._draw()

    def action_older(self, by: int) -> None:
        self._from = min(max(0, self._from + by), self._to)
        self._draw()

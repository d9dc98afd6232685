"""Rows of the shell that are one drawn line each: the status and the tabs."""

from __future__ import annotations

from collections.abc import Callable

from textual.events import Click
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.draw.ink import EMPTY, Line, fill
from tui.widgets.sheet import strip_of


class Row(ScrollView, can_focus=False):
    """One line, drawn for the width that there is."""

    DEFAULT_CSS = "Row { height: 1; overflow: hidden hidden; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: Callable[[int], Line] = lambda room: EMPTY
        self._shown: Line = EMPTY

    def show(self, draw: Callable[[int], Line]) -> None:
        """Show what `draw` makes of the room."""
        self._draw = draw
        line = fill(draw(self.size.width), self.size.width)
        if line != self._shown:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        self._shown = fill(self._draw(self.size.width), self.size.width)
        return strip_of(self, self._shown if y == 0 else EMPTY)


class Tabs(Row):
    """The tabs in one line; a click on one is a Chosen message."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, names: dict[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = names

    def mark(self, active: str) -> None:
        """Show which tab is open."""
        self.show(lambda room: self._line(active, room))

    def _line(self, active: str, room: int) -> Line:
        spans: list[tuple[str, str]] = []
        tight = room < sum(len(title) + 5 for title in self._names.values())
        for number, (name, title) in enumerate(self._names.items(), start=1):
            on = name == active
            spans.append((f" {number} ", "accent b select" if on else "faint"))
            spans.append((f"{title[:5] if tight and not on else title} ", "strong b select" if on else "muted"))
        return tuple(spans)

    def on_click(self, event: Click) -> None:
        at, x = event.get_content_offset(self), 0
        for index, (text, _) in enumerate(self._shown):
            x += len(text)
            if at is not None and at.x < x and index // 2 < len(self._names):
                self.post_message(self.Chosen(list(self._names)[index // 2]))
                return

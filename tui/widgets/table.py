"""A table of any length: only the rows that can be seen are drawn. Rows are known by their key, not by their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.draw.ink import EMPTY, Line, fill, restyle
from tui.widgets.sheet import strip_of

DrawRow = Callable[[str, int], Line]  # key, room -> the row


class Table(ScrollView, can_focus=True):
    """A header over rows; the cursor stays on its row while others come and go."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000000)", show=False),
        Binding("end", "move(1000000000)", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor stands on another row; `key` is "" where there is none."""

        def __init__(self, table: Table, key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> Table:
            return self.table

    def __init__(self, header: Callable[[int], Line], draw: DrawRow, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._header, self._draw = header, draw
        self._keys: Sequence[str] = ()
        self._places: dict[str, int] = {}
        self._told: str | None = None

    @property
    def key(self) -> str:
        """The row under the cursor, "" where there is none."""
        return self._keys[self.cursor] if 0 <= self.cursor < len(self._keys) else ""

    @property
    def keys(self) -> Sequence[str]:
        """The rows in their order."""
        return self._keys

    def show(self, keys: Sequence[str]) -> None:
        """Show these rows; the cursor stays on its row, or where that was."""
        was, place = self.key, self.cursor
        if keys != self._keys:
            self._keys, self._places = keys, {key: place for place, key in enumerate(keys)}
        self.virtual_size = Size(1, len(keys) + 1)
        self.set_reactive(Table.cursor, self._places.get(was, min(self.cursor, max(0, len(keys) - 1))))
        if self.cursor != place:
            self.call_after_refresh(self._reveal)
        self.refresh()
        self._tell()

    def select(self, key: str) -> bool:
        """Put the cursor on a row; False where it is not shown."""
        if key not in self._places:
            return False
        self.cursor = self._places[key]
        self._reveal()
        return True

    def action_move(self, by: int) -> None:
        self.cursor = min(max(0, self.cursor + by), max(0, len(self._keys) - 1))

    def action_page(self, sign: int) -> None:
        self.action_move(sign * max(1, self.size.height - 2))

    def watch_cursor(self) -> None:
        self._reveal()
        self.refresh()
        self._tell()

    def on_click(self, event: Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and at.y >= 1 and at.y - 1 + self.scroll_offset.y < len(self._keys):
            self.cursor = at.y - 1 + self.scroll_offset.y

    def render_line(self, y: int) -> Strip:
        room = self.scrollable_content_region.width
        if y == 0:
            return strip_of(self, restyle(fill(self._header(room), room), "b"))
        index = self.scroll_offset.y + y - 1
        if not 0 <= index < len(self._keys):
            return strip_of(self, EMPTY)
        row = fill(self._draw(self._keys[index], room), room)
        return strip_of(self, restyle(row, "select" if self.has_focus else "u") if index == self.cursor else row)

    def _reveal(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 2), animate=False, force=True)

    def _tell(self) -> None:
        if self.key != self._told:
            self._told = self.key
            self.post_message(self.Moved(self, self.key))

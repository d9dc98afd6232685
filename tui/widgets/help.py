"""The help: the focused pane, every key from the registry, this place's first, then the panes around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.draw.ink import EMPTY, Line, fit, wrap
from tui.filter import EXAMPLE
from tui.helps import About
from tui.keys import DEFAULT, PLACES, Keymap, keys_of, shown
from tui.widgets.page import Page

GLYPHS = "◆ manager  ● researcher  ▲ engineer  ■ reviewer  ! on probation  ◔ on trial  × left"
ENDS = "✓ ok  ✗ failed  ◌ stopped  − refused  ▸ running  ○ queued  ★ champion  ☆ not confirmed"
ROOM, KEY = 76, 14  # cells of a line in the dialog, and of the column of keys


class Help(ModalScreen[None]):
    """Closed by any of its keys, and by the one that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", show=False),
        Binding("question_mark,f1", "dismiss", show=False, id="app.help"),
    ]

    def __init__(
        self, where: str, focused: About | None = None, others: Sequence[About] = (), keymap: Keymap = DEFAULT,
        readonly: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._where, self._focused, self._others = where, focused, others
        self._keymap, self._readonly = keymap, readonly

    def compose(self) -> ComposeResult:
        sheet = Page(classes="dialog help")
        sheet.border_title = "help"
        sheet.border_subtitle = "esc closes"
        room = min(ROOM, self.app.size.width - 6)
        focused = [*about_lines((self._focused,), room), EMPTY] if self._focused else []
        others = [EMPTY, (("The other panes", "accent b"),), *about_lines(self._others, room)] if self._others else []
        sheet.show([*focused, *help_lines(self._where, self._keymap, self._readonly), *others])
        yield sheet


def about_lines(panes: Sequence[About], room: int) -> list[Line]:
    """What the panes are."""
    lines: list[Line] = []
    for about in panes:
        lines.append(((about.title, "strong"),))
        lines += [((text, "text"),) for text in wrap(about.says, max(20, room), 6)]
    return lines


def help_lines(where: str, keymap: Keymap = DEFAULT, readonly: bool = False) -> list[Line]:
    """All keys, `where` first."""
    lines: list[Line] = []
    for place in sorted(PLACES, key=lambda each: (each != where, each != "app")):
        lines += [EMPTY] if lines else []
        lines.append(((PLACES[place], "accent b"),))
        found = keys_of(place, readonly)
        lines += [((fit(shown(key, keymap), KEY), "strong"), (f" {key.says}", "text")) for key in found]
    lines += [
        EMPTY,
        (("Tables", "accent b"),),
        ((fit("↑ ↓ j k", KEY), "strong"), (" also PageUp, PageDown, Home, End", "text")),
    ]
    lines += [EMPTY, (("Filter", "accent b"),), ((EXAMPLE, "text"),)]
    return [*lines, EMPTY, (("Signs", "accent b"),), ((GLYPHS, "text"),), ((ENDS, "text"),)]

"""The help: every key, from the registry, the place that one is in first."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.draw.ink import EMPTY, Line, fit
from tui.filter import EXAMPLE
from tui.keys import PLACES, keys_of, shown
from tui.widgets.page import Page

GLYPHS = "◆ manager  ● researcher  ▲ engineer  ■ reviewer  ! on probation  ◔ on trial  × left"
ENDS = "✓ ok  ✗ failed  ◌ stopped  − refused  ▸ running  ○ queued  ★ champion  ☆ not confirmed"


class Help(ModalScreen[None]):
    """Closed by any of its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,f1,q,enter", "dismiss", show=False)]

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def compose(self) -> ComposeResult:
        sheet = Page(classes="dialog help")
        sheet.border_title = "help"
        sheet.border_subtitle = "esc closes"
        sheet.show(help_lines(self._where))
        yield sheet


def help_lines(where: str) -> list[Line]:
    """All keys, `where` first."""
    lines: list[Line] = []
    for place in sorted(PLACES, key=lambda each: (each != where, each != "app")):
        lines += [EMPTY] if lines else []
        lines.append(((PLACES[place], "accent b"),))
        lines += [((fit(shown(key), 14), "strong"), (key.says, "text")) for key in keys_of(place)]
    lines += [
        EMPTY,
        (("Tables", "accent b"),),
        ((fit("↑ ↓ j k", 14), "strong"), ("also PageUp, PageDown, Home, End", "text")),
    ]
    lines += [EMPTY, (("Filter", "accent b"),), ((EXAMPLE, "text"),)]
    return [*lines, EMPTY, (("Signs", "accent b"),), ((GLYPHS, "text"),), ((ENDS, "text"),)]

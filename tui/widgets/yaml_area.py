"""A YAML editor: colours by a few rules, marks on the lines with problems."""

from __future__ import annotations

import re
from collections.abc import Collection

from rich.text import Text
from textual.binding import Binding
from textual.events import Key
from textual.widgets import TextArea

from company.chart_problems import unprintable
from tui.palette import PALETTES, style

RULES = (
    (re.compile(r"(?P<x>[\w.]+)(?=\s*:(?:\s|$))"), "accent"),
    (re.compile(r"(?<=[:,\[{(])\s*(?P<x>-?\d[\d._]*(?:e[+-]?\d+)?)(?=\s*[,\]})#]|\s*$)"), "reviewer"),
    (re.compile(r"(?P<x>\b(?:true|false|null)\b)"), "manager"),
    (re.compile(r"""(?P<x>"[^"]*"|'[^']*')"""), "good"),
    (re.compile(r"(?:^|\s)(?P<x>#.*)$"), "muted"),
)
MOVES = {
    key: binding.action
    for binding in TextArea.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
}
MOST = 500  # characters of a line that are coloured


class YamlArea(TextArea):
    """`problems` are the lines to mark, counted from 1."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, show_line_numbers=True, tab_behavior="focus", soft_wrap=False)
        self._problems: frozenset[int] = frozenset()

    async def _on_key(self, event: Key) -> None:
        """Arrows and the like at once: by way of the app, what is typed after them would overtake them."""
        action = MOVES.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def mark(self, lines: Collection[int]) -> None:
        """Mark these lines."""
        if frozenset(lines) != self._problems:
            self._problems = frozenset(lines)
            self._line_cache.clear()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if not line.plain.isprintable():
            line.plain = "".join("·" if unprintable(char) and char != "\t" else char for char in line.plain)
        palette = self.app.theme if self.app.theme in PALETTES else "loopworks-dark"
        for rule, words in RULES:
            for found in rule.finditer(line.plain[:MOST]):
                line.stylize(style(palette, words), found.start("x"), found.end("x"))
        if line_index + 1 in self._problems:
            line.stylize(style(palette, "bad u"))
        return line

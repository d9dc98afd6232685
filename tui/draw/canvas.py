"""A drawing on a grid of cells: boxes and connectors that join where they meet, with text on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tui.draw.ink import EMPTY, Line, Span, clip, width

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
JOINTS = {
    1: "╵", 2: "╶", 4: "╷", 8: "╴", 3: "╰", 5: "│", 6: "╭", 7: "├", 9: "╯", 10: "─", 11: "┴", 12: "╮", 13: "┤",
    14: "┬", 15: "┼",
}  # fmt: skip


class Box(NamedTuple):
    """Where something is drawn, in cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines to show, and where what can be selected lies in them."""

    lines: Sequence[Line]
    spots: Mapping[str, Box] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return max((width(line) for line in self.lines), default=0)


class Canvas:
    """Collects strokes and text, in any order; `lines` puts them together."""

    def __init__(self) -> None:
        self._strokes: dict[int, dict[int, tuple[int, str]]] = {}
        self._texts: dict[int, list[tuple[int, Line]]] = {}

    def text(self, x: int, y: int, spans: Sequence[Span], room: int | None = None) -> None:
        """Put text at a cell, over whatever strokes lie there; texts must not overlap."""
        shown = tuple(spans) if room is None else clip(spans, room)
        if shown:
            self._texts.setdefault(y, []).append((x, shown))

    def across(self, x1: int, x2: int, y: int, style: str) -> None:
        """A horizontal stroke between two cells, both included."""
        x1, x2 = min(x1, x2), max(x1, x2)
        for x in range(x1, x2 + 1):
            self._stroke(x, y, (EAST if x < x2 else 0) | (WEST if x > x1 else 0), style)

    def down(self, x: int, y1: int, y2: int, style: str) -> None:
        """A vertical stroke between two cells, both included."""
        y1, y2 = min(y1, y2), max(y1, y2)
        for y in range(y1, y2 + 1):
            self._stroke(x, y, (SOUTH if y < y2 else 0) | (NORTH if y > y1 else 0), style)

    def box(self, box: Box, style: str) -> None:
        """A rounded frame."""
        right, bottom = box.x + box.width - 1, box.y + box.height - 1
        self.across(box.x, right, box.y, style)
        self.across(box.x, right, bottom, style)
        self.down(box.x, box.y, bottom, style)
        self.down(right, box.y, bottom, style)

    def lines(self) -> list[Line]:
        """The drawing from its first row."""
        bottom = max((*self._strokes, *self._texts), default=-1)
        return [self._row(y) for y in range(bottom + 1)]

    def _stroke(self, x: int, y: int, mask: int, style: str) -> None:
        row = self._strokes.setdefault(y, {})
        was, old = row.get(x, (0, style))
        row[x] = was | mask, old if was else style

    def _row(self, y: int) -> Line:
        texts = sorted(self._texts.get(y, ()), key=lambda piece: piece[0])
        strokes = self._strokes.get(y, {})
        if not texts and not strokes:
            return EMPTY
        spans: list[Span] = []
        at = 0
        for x, piece in texts:
            spans += _between(strokes, at, x)
            spans += piece
            at = x + width(piece)
        spans += _between(strokes, at, max(strokes, default=-1) + 1)
        return tuple(spans)


def _between(strokes: Mapping[int, tuple[int, str]], start: int, stop: int) -> list[Span]:
    """The strokes of a row from one cell to before another, blanks where there are none; runs of a style together."""
    spans: list[Span] = []
    for x in range(start, stop):
        mask, style = strokes.get(x, (0, ""))
        char = JOINTS.get(mask, " ")
        if spans and spans[-1][1] == style:
            spans[-1] = spans[-1][0] + char, style
        else:
            spans.append((char, style))
    return spans

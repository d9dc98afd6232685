"""A drawing on a grid of cells: boxes and connectors that join where they meet, with holes for text.

What stands still (strokes, and where text goes) is put together once; the holes of a line are filled when it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

from tui.draw.ink import Line, Span, width

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
class Hole:
    """A place for text, `room` cells wide, known by a key."""

    key: str
    room: int


Row = tuple[Span | Hole, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines to show, and where what can be selected lies in them. `wide` is given where it is known."""

    lines: Sequence[Line]
    spots: Mapping[str, Box] = field(default_factory=dict)
    wide: int | None = None

    @property
    def width(self) -> int:
        return max((width(line) for line in self.lines), default=0) if self.wide is None else self.wide


class Filled(Sequence[Line]):
    """Rows whose holes are filled when a line is asked for, once each."""

    def __init__(self, rows: Sequence[Row], fill: Callable[[Hole], Line]) -> None:
        self._rows, self._fill = rows, fill
        self._lines: dict[int, Line] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[y] for y in range(*index.indices(len(self)))]
        if index not in self._lines:
            spans: list[Span] = []
            for piece in self._rows[index]:
                spans += self._fill(piece) if isinstance(piece, Hole) else (piece,)
            self._lines[index] = tuple(spans)
        return self._lines[index]


class Canvas:
    """Collects strokes and holes, in any order; `rows` puts them together."""

    def __init__(self) -> None:
        self._strokes: dict[int, dict[int, tuple[int, str]]] = {}
        self._holes: dict[int, list[tuple[int, Hole]]] = {}

    def hole(self, x: int, y: int, hole: Hole) -> None:
        """Leave room for text at a cell, over whatever strokes lie there; holes must not overlap."""
        self._holes.setdefault(y, []).append((x, hole))

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

    def rows(self) -> list[Row]:
        """The drawing from its first row."""
        bottom = max((*self._strokes, *self._holes), default=-1)
        return [self._row(y) for y in range(bottom + 1)]

    def _stroke(self, x: int, y: int, mask: int, style: str) -> None:
        row = self._strokes.setdefault(y, {})
        was, old = row.get(x, (0, style))
        row[x] = was | mask, old if was else style

    def _row(self, y: int) -> Row:
        strokes = self._strokes.get(y, {})
        pieces: list[Span | Hole] = []
        at = 0
        for x, hole in sorted(self._holes.get(y, ()), key=lambda found: found[0]):
            pieces += _between(strokes, at, x)
            pieces.append(hole)
            at = x + hole.room
        return (*pieces, *_between(strokes, at, max(strokes, default=-1) + 1))


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

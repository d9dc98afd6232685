"""Where everybody stands in a drawn organisation: three layouts of cards and connectors, made once a shape.

Only names of positions are known here; what is said of who holds them goes into the holes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tui.draw.canvas import Box, Canvas, Hole, Row

Layout = Literal["auto", "cards", "rows", "tree"]
LAYOUTS: tuple[Layout, ...] = ("auto", "cards", "rows", "tree")

WIDE, SLIM = 92, 24  # the widest and the narrowest card
GAP = 2
INDENT = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """A team by the positions of its lead, of the reports who manage nobody, and the teams below, none where folded."""

    lead: str
    rows: tuple[str, ...]
    below: tuple[Shape, ...]
    folded: bool

    def walk(self) -> Iterator[Shape]:
        """This team and all below it."""
        yield self
        for team in self.below:
            yield from team.walk()

    @property
    def height(self) -> int:
        """Lines of its card."""
        return 3 if self.folded or not self.rows else 4 + len(self.rows)


@dataclass(frozen=True, slots=True)
class Frame:
    """Strokes and holes by the line, where each position lies, and the width of it all."""

    layout: Layout
    rows: tuple[Row, ...]
    spots: dict[str, Box]
    wide: int


@lru_cache(maxsize=32)
def frame(shape: Shape, room: int, layout: Layout, height: int, accent: str) -> Frame:
    """An arrangement in at most `room` columns, and `height` lines where one fits; `accent` names the marked card."""
    chosen = _fitting(shape, room, height) if layout == "auto" else layout
    if chosen == "tree":
        return _tree(shape, room)
    canvas, spots = Canvas(), {}
    if chosen == "cards":
        card = next((wide for wide in range(WIDE, SLIM, -1) if _across(shape, wide) <= room), SLIM)
        _place(canvas, spots, shape, card, 0, 0, accent)
    else:
        card = max(SLIM, min(WIDE, (room + INDENT) // _deep(shape) - INDENT))
        _beside(canvas, spots, shape, card, 0, 0, accent)
    rows = tuple(canvas.rows())
    return Frame(chosen, rows, spots, max((_end(row) for row in rows), default=0))


def _end(row: Row) -> int:
    return sum(piece.room if isinstance(piece, Hole) else len(piece[0]) for piece in row)


def _fitting(shape: Shape, room: int, height: int) -> Layout:
    """The first layout that fits the width and the height, else the first that fits the width."""
    tree = sum(1 + len(team.rows) for team in shape.walk())
    lines: dict[Layout, int] = {"cards": _cards_tall(shape), "rows": _rows_tall(shape), "tree": tree}
    narrow: dict[Layout, bool] = {
        "cards": _across(shape, SLIM) <= room,
        "rows": _deep(shape) * (SLIM + INDENT) - INDENT <= room,
    }
    fitting: list[Layout] = [layout for layout in LAYOUTS if narrow.get(layout, layout == "tree")]
    low: list[Layout] = [layout for layout in fitting if lines[layout] <= height]
    return (low or fitting)[0]


def _cards_tall(shape: Shape) -> int:
    return shape.height + max((1 + _cards_tall(child) for child in shape.below), default=0)


def _rows_tall(shape: Shape) -> int:
    return max(shape.height, sum(_rows_tall(child) for child in shape.below))


def _across(shape: Shape, card: int) -> int:
    return max(card, sum(_across(child, card) + GAP for child in shape.below) - GAP)


def _deep(shape: Shape) -> int:
    return 1 + max((_deep(child) for child in shape.below), default=0)


def _place(canvas: Canvas, spots: dict[str, Box], team: Shape, card: int, x: int, y: int, accent: str) -> int:
    """Draw a team centred over those below it; returns the column of its connector."""
    room, bottom = _across(team, card), y + team.height
    box = Box(x + (room - card) // 2, y, card, team.height)
    _card(canvas, spots, team, box, accent)
    stem = box.x + card // 2
    at, stems = x, []
    slack = (room - (sum(_across(child, card) + GAP for child in team.below) - GAP)) // 2 if team.below else 0
    for child in team.below:
        stems.append(_place(canvas, spots, child, card, at + slack, bottom + 1, accent))
        at += _across(child, card) + GAP
    if stems:
        canvas.down(stem, bottom - 1, bottom, "line")
        canvas.across(min(*stems, stem), max(*stems, stem), bottom, "line")
        for each in stems:
            canvas.down(each, bottom, bottom + 1, "line")
    return stem


def _beside(canvas: Canvas, spots: dict[str, Box], team: Shape, card: int, x: int, y: int, accent: str) -> int:
    """Draw a team with those below it to its right, one under another; returns the row after them."""
    _card(canvas, spots, team, Box(x, y, card, team.height), accent)
    bottom, right = y, x + card - 1
    for child in team.below:
        canvas.across(right, right + 2, y + 1, "line")
        canvas.down(right + 2, y + 1, bottom + 1, "line")
        canvas.across(right + 2, right + INDENT + 1, bottom + 1, "line")
        bottom = _beside(canvas, spots, child, card, x + card + INDENT, bottom, accent)
    return max(bottom, y + team.height)


def _card(canvas: Canvas, spots: dict[str, Box], team: Shape, box: Box, accent: str) -> None:
    style = "accent" if accent == team.lead else "line"
    canvas.box(box, style)
    rows = [(box.y + 1, team.lead)]
    if not team.folded and team.rows:
        canvas.across(box.x, box.x + box.width - 1, box.y + 2, style)
        rows += [(box.y + 3 + index, position) for index, position in enumerate(team.rows)]
    for y, position in rows:
        spots[position] = Box(box.x + 1, y, box.width - 2, 1)
        canvas.hole(box.x + 1, y, Hole(position, box.width - 2))


def _tree(shape: Shape, room: int) -> Frame:
    rows: list[Row] = []
    spots: dict[str, Box] = {}

    def put(position: str, guide: str) -> None:
        left = max(1, room - len(guide))
        spots[position] = Box(len(guide), len(rows), left, 1)
        rows.append(((guide, "line"), Hole(position, left)))

    def grow(team: Shape, guide: str, rest: str) -> None:
        put(team.lead, guide)
        below = [] if team.folded else [*team.rows, *team.below]
        for index, item in enumerate(below):
            last = index == len(below) - 1
            here, on = rest + ("╰─" if last else "├─"), rest + ("  " if last else "│ ")
            if isinstance(item, Shape):
                grow(item, here, on)
            else:
                put(item, here)

    grow(shape, "", "")
    return Frame("tree", tuple(rows), spots, max(_end(row) for row in rows))

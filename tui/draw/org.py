"""The org chart: a card a team, connectors between managers only. `auto` takes the first layout that fits the width."""

from __future__ import annotations

from typing import Literal

from company.wording import count
from tui.draw.canvas import Box, Canvas, Drawing
from tui.draw.glyphs import place, role
from tui.draw.ink import Line, clip, cut, fill, fit, restyle, sparks, width
from tui.draw.teams import Seat, Team
from tui.draw.worth import scale, worth_style

Layout = Literal["auto", "cards", "rows", "tree"]
LAYOUTS: tuple[Layout, ...] = ("auto", "cards", "rows", "tree")

WIDE, SLIM = 92, 24  # the widest and the narrowest card
GAP = 2
INDENT = 4


def draw_org(team: Team, room: int, selected: str = "", layout: Layout = "auto", height: int = 0) -> Drawing:
    """The company in at most `room` columns, and `height` lines where a layout can do so; positions are the spots."""
    if layout == "auto":
        return _auto(team, room, selected, height)
    return _cards_or_rows(team, room, selected, layout) or _tree(team, room, selected)


def _cards_tall(team: Team) -> int:
    return _height(team) + max((1 + _cards_tall(child) for child in ([] if team.folded else team.below)), default=0)


def _rows_tall(team: Team) -> int:
    return max(_height(team), sum(_rows_tall(child) for child in ([] if team.folded else team.below)))


def _auto(team: Team, room: int, selected: str, height: int) -> Drawing:
    """The first layout that fits the width and the height, else the first that fits the width."""
    lines = {"cards": _cards_tall(team), "rows": _rows_tall(team), "tree": sum(1 + len(t.rows) for t in team.walk())}
    wide = {"cards": _across(team, SLIM) <= room, "rows": _deep(team) * (SLIM + INDENT) - INDENT <= room, "tree": True}
    fitting = [layout for layout in ("cards", "rows", "tree") if wide[layout]]
    best = next((layout for layout in fitting if lines[layout] <= height), fitting[0])
    return _cards_or_rows(team, room, selected, best) or _tree(team, room, selected)


def _cards_or_rows(team: Team, room: int, selected: str, layout: str) -> Drawing | None:
    """Cards as wide as there is room for, from the top down or from left to right; None for another layout."""
    if layout == "cards":
        fitting = next((w for w in range(WIDE, SLIM, -1) if _across(team, w) <= room), SLIM)
        return _cards(team, fitting, selected)
    if layout == "rows":
        return _rows(team, max(SLIM, min(WIDE, (room + INDENT) // _deep(team) - INDENT)), selected)
    return None


def neighbour(drawing: Drawing, selected: str, direction: str) -> str:
    """Who is nearest in a direction: left, right, up or down; the same one where there is nobody."""
    here = drawing.spots.get(selected)
    if here is None:
        return next(iter(drawing.spots), "")
    sign = 1 if direction in ("right", "down") else -1
    best, nearest = selected, float("inf")
    for name, box in drawing.spots.items():
        dx, dy = box.x + box.width / 2 - here.x - here.width / 2, box.y - here.y
        along, aside = (dx, abs(dy) * 4) if direction in ("left", "right") else (dy * 2, abs(dx))
        if sign * along > 0 and abs(along) + 2 * aside < nearest:
            best, nearest = name, abs(along) + 2 * aside
    return best


def _across(team: Team, card: int) -> int:
    below = [] if team.folded else team.below
    return max(card, sum(_across(child, card) + GAP for child in below) - GAP)


def _deep(team: Team) -> int:
    return 1 + max((_deep(child) for child in ([] if team.folded else team.below)), default=0)


def _height(team: Team) -> int:
    return 3 if team.folded or not team.rows else 4 + len(team.rows)


def _cards(team: Team, card: int, selected: str) -> Drawing:
    canvas, spots = Canvas(), {}
    _place(canvas, spots, team, card, 0, 0, selected)
    return Drawing(canvas.lines(), spots)


def _place(canvas: Canvas, spots: dict[str, Box], team: Team, card: int, x: int, y: int, selected: str) -> int:
    """Draw a team centred over those below it; returns the column of its connector."""
    room, bottom = _across(team, card), y + _height(team)
    box = Box(x + (room - card) // 2, y, card, _height(team))
    _card(canvas, spots, team, box, selected)
    stem = box.x + card // 2
    at, stems = x, []
    below = [] if team.folded else team.below
    slack = (room - (sum(_across(child, card) + GAP for child in below) - GAP)) // 2 if below else 0
    for child in below:
        stems.append(_place(canvas, spots, child, card, at + slack, bottom + 1, selected))
        at += _across(child, card) + GAP
    if stems:
        canvas.down(stem, bottom - 1, bottom, "line")
        canvas.across(min(*stems, stem), max(*stems, stem), bottom, "line")
        for each in stems:
            canvas.down(each, bottom, bottom + 1, "line")
    return stem


def _rows(team: Team, card: int, selected: str) -> Drawing:
    canvas, spots = Canvas(), {}
    _beside(canvas, spots, team, card, 0, 0, selected)
    return Drawing(canvas.lines(), spots)


def _beside(canvas: Canvas, spots: dict[str, Box], team: Team, card: int, x: int, y: int, selected: str) -> int:
    """Draw a team with those below it to its right, one under another; returns the row after them."""
    box = Box(x, y, card, _height(team))
    _card(canvas, spots, team, box, selected)
    bottom, right = y, x + card - 1
    for child in [] if team.folded else team.below:
        canvas.across(right, right + 2, y + 1, "line")
        canvas.down(right + 2, y + 1, bottom + 1, "line")
        canvas.across(right + 2, right + INDENT + 1, bottom + 1, "line")
        bottom = _beside(canvas, spots, child, card, x + card + INDENT, bottom, selected)
    return max(bottom, y + _height(team))


def _card(canvas: Canvas, spots: dict[str, Box], team: Team, box: Box, selected: str) -> None:
    style = "accent" if selected == team.lead.id else "line"
    canvas.box(box, style)
    inner = box.width - 2
    spots[team.lead.id] = Box(box.x + 1, box.y + 1, inner, 1)
    canvas.text(box.x + 1, box.y + 1, _marked(_lead(team, inner), inner, selected == team.lead.id))
    if team.folded or not team.rows:
        return
    canvas.across(box.x, box.x + box.width - 1, box.y + 2, style)
    longest = max(len(seat.who) for seat in team.rows)
    for index, seat in enumerate(team.rows):
        y = box.y + 3 + index
        spots[seat.id] = Box(box.x + 1, y, inner, 1)
        canvas.text(box.x + 1, y, _marked(seat_line(seat, inner, min(longest, 14)), inner, selected == seat.id))


def _marked(spans: Line, room: int, selected: bool) -> Line:
    return restyle(fill(spans, room), "select b") if selected else fill(spans, room)


def _lead(team: Team, room: int) -> Line:
    seat = team.lead
    glyph, colour = role(seat.role)
    title = f"  {seat.name}" if seat.name != seat.who and room > 30 else ""
    left: Line = ((f" {glyph} ", colour), (seat.who, "strong b"), (title, "muted"))
    if team.folded:
        right: Line = ((f"▸ {count(team.people(), 'person').replace('persons', 'people')} ", "muted"),)
    else:
        share = f"{100 * seat.share:.0f} % " if seat.share is not None else ""
        right = ((seat.task + " " if seat.task and room > 24 else "", "busy"), (share, "muted"))
    space = max(0, room - width(right))
    return (*fill(left, space), *clip(right, room))


def seat_line(seat: Seat, room: int, name: int) -> Line:
    """One agent in `room` cells: the more there are, the more is said."""
    glyph, colour = place(seat.role, seat.status)
    spans: list[tuple[str, str]] = [(f" {glyph} ", f"{colour} b"), (fit(seat.who, name), "strong"), (" ", "")]
    if room >= 84:
        spans += [(fit(seat.name if seat.name != seat.who else "", 16), "muted"), (" ", "")]
    spans.append((fit(seat.brain or seat.role, min(10, max(4, room - name - 10))), "muted"))
    bars = 8 if room >= 40 else 5 if room >= 30 else 0
    if bars:
        spans += [(" ", ""), (fit(sparks(seat.beaten, bars, 0.0, 1.0), bars, right=True), "busy")]
    spans += [(" ", ""), _worth(seat)]
    if room >= 66:
        spans += [(" ", ""), *(scale(seat.worth, 13) if seat.role == "researcher" else ((" " * 13, ""),))]
    if room >= 50:
        spans += [("  ", ""), (cut(seat.task, room - width(spans) - 3), "busy")]
    return tuple(spans)


def _worth(seat: Seat) -> tuple[str, str]:
    if seat.worth is None:
        return "     ", "faint"
    return f"{seat.worth[0]:+.2f}", worth_style(seat.worth)


def _tree(team: Team, room: int, selected: str) -> Drawing:
    lines: list[Line] = []
    spots: dict[str, Box] = {}
    longest = max(len(seat.who) for each in team.walk() for seat in (each.lead, *each.rows))

    def put(seat: Seat, guide: str, spans: Line) -> None:
        left = width(((guide, ""),))
        spots[seat.id] = Box(left, len(lines), max(1, room - left), 1)
        shown = _marked(spans, max(1, room - left), selected == seat.id)
        lines.append(((guide, "line"), *shown))

    def grow(each: Team, guide: str, rest: str) -> None:
        put(each.lead, guide, _lead(each, max(1, room - len(guide))))
        below = [] if each.folded else [*each.rows, *each.below]
        for index, item in enumerate(below):
            last = index == len(below) - 1
            here, on = rest + ("╰─" if last else "├─"), rest + ("  " if last else "│ ")
            if isinstance(item, Team):
                grow(item, here, on)
            else:
                put(item, here, seat_line(item, max(1, room - len(here)), min(longest, 14)))

    grow(team, "", "")
    return Drawing(lines, spots)

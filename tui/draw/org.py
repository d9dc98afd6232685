"""The org chart: a card a team, connectors between managers only; only what is looked at is put into words."""

from __future__ import annotations

from company.wording import count
from tui.draw.canvas import Drawing, Filled, Hole
from tui.draw.glyphs import place, role
from tui.draw.ink import Line, clip, cut, fill, fit, restyle, sparks, width
from tui.draw.org_frame import LAYOUTS, Layout, Shape, frame
from tui.draw.teams import Seat, Team
from tui.draw.worth import scale, worth_style

__all__ = ["LAYOUTS", "Layout", "draw_org", "neighbour", "seat_line"]

LONGEST = 14  # cells of a name


def draw_org(team: Team, room: int, selected: str = "", layout: Layout = "auto", height: int = 0) -> Drawing:
    """The company in at most `room` columns, and `height` lines where a layout can do so; positions are the spots."""
    leads = {each.lead.id: each for each in team.walk()}
    found = frame(_shape(team), room, layout, height, selected if selected in leads else "")
    everyone = max(len(seat.who) for each in leads.values() for seat in (each.lead, *each.rows))
    seats: dict[str, tuple[Seat, int]] = {}
    for each in leads.values():
        longest = everyone if found.layout == "tree" else max((len(seat.who) for seat in each.rows), default=0)
        seats |= {seat.id: (seat, min(LONGEST, longest)) for seat in each.rows}

    def said(hole: Hole) -> Line:
        if hole.key in leads:
            return _marked(_lead(leads[hole.key], hole.room), hole.room, hole.key == selected)
        seat, name = seats[hole.key]
        return _marked(seat_line(seat, hole.room, name), hole.room, hole.key == selected)

    return Drawing(Filled(found.rows, said), found.spots, found.wide)


def _shape(team: Team) -> Shape:
    if team.folded:
        return Shape(team.lead.id, (), (), True)
    return Shape(team.lead.id, tuple(seat.id for seat in team.rows), tuple(_shape(t) for t in team.below), False)


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

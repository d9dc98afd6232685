"""A lane an agent over company time, with marks for what happened; the cursor is a moment of the replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from company.diary import Moment
from company.snapshot import Snapshot
from company.wording import number, span
from tui.draw import glyphs
from tui.draw.canvas import Box, Drawing
from tui.draw.ink import EMPTY, Line, Span, fit, line, sparks

NAME = 11
SIGNS: dict[str, tuple[str, str, int]] = {  # kind -> glyph, style, importance: the most important of a cell is shown
    "RunFounded": ("◆", "accent", 9),
    "AgentReplaced": ("⇄", "manager b", 9),
    "AgentHired": ("+", "manager b", 8),
    "AgentCoached": ("!", "warn b", 8),
    "ChampionChosen": ("★", "good b", 10),
    "CandidateRejected": ("☆", "muted", 4),
    "AttemptFailed": ("✗", "bad", 5),
    "ExperimentFinished": ("•", "busy", 2),
    "ExperimentRefused": ("−", "muted", 2),
    "AgentAppraised": ("○", "reviewer", 3),
    "DirectiveGiven": ("›", "manager", 1),
    "VerdictGiven": ("·", "reviewer", 1),
    "ReviewGiven": ("·", "reviewer", 1),
    "ExperimentCreated": ("·", "researcher", 1),
}
CHANGES = frozenset(
    ("AgentReplaced", "AgentHired", "AgentCoached", "ChampionChosen", "ResearchEnded", "RunClosed", "NoiseMeasured")
)
LEGEND = (
    "★ champion", "☆ not confirmed", "• result", "✗ failure", "! coached", "⇄ replaced", "+ hired", "○ appraised",
    "› asked",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """Company time across `room` cells after the names."""

    end: float
    room: int

    def cell(self, at: float) -> int:
        """The column of a time."""
        share = at / self.end if self.end > 0 else 0.0
        return NAME + min(self.room - 1, max(0, round(share * (self.room - 1))))

    def time(self, x: int) -> float:
        """The time at a column."""
        return max(0, min(self.room - 1, x - NAME)) / max(1, self.room - 1) * self.end


def draw_timeline(whole: Snapshot, shot: Snapshot, room: int) -> Drawing:
    """All lanes of the whole story, with the cursor where the shown snapshot stands. Agents are the spots."""
    scale = Scale(max(whole.at, 1e-9), max(8, room - NAME))
    cursor = scale.cell(shot.at)
    agents = sorted(whole.state.agents.values(), key=lambda a: _place(whole, a.position))
    lines, spots = [_ruler(scale, cursor), _champion(whole, scale, cursor)], {}
    for agent in agents:
        spots[agent.id] = Box(0, len(lines), room, 1)
        glyph, colour = glyphs.seat(agent)
        lane = _lane(whole.diary(agent.id).moments(), scale, cursor)
        name = "muted" if agent.status == "left" else "text"
        lines.append(((f"{glyph} ", colour), (fit(agent.id, NAME - 2), name), *lane))
    return Drawing([*lines, EMPTY, *_legend(room)], spots)


def _legend(room: int) -> list[Line]:
    """The signs; none is parted from its word."""
    rows = [""]
    for words in LEGEND:
        if rows[-1] and len(rows[-1]) + 2 + len(words) > room:
            rows.append("")
        rows[-1] += ("  " if rows[-1] else "") + words
    return [line((row, "faint")) for row in rows]


def _place(shot: Snapshot, position: str) -> int:
    ids = [p.id for p in shot.state.chart.positions]
    return ids.index(position) if position in ids else len(ids)


def _ruler(scale: Scale, cursor: int) -> Line:
    """Times along the top and a pointer at the cursor."""
    row = [" "] * (NAME + scale.room)
    ticks = max(1, scale.room // 16)
    for tick in range(ticks + 1):
        text = span(scale.end * tick / ticks)
        x = min(scale.cell(scale.end * tick / ticks), NAME + scale.room - len(text))
        if x <= cursor < x + len(text):  # the pointer cuts no time in two
            x = cursor - len(text) if cursor - len(text) >= NAME else cursor + 1
        row[x : x + len(text)] = text
    before, after = "".join(row[:cursor]), "".join(row[cursor + 1 :])
    return line((before, "faint"), ("▼", "warn b"), (after, "faint"))


def _champion(shot: Snapshot, scale: Scale, cursor: int) -> Line:
    """The champion's confirmed metric over time, the better the higher."""
    state = shot.state
    if not state.trail:
        return _row([(" ", "")] * scale.room, cursor, ("best", "muted"))
    values: list[float | None] = []
    for x in range(scale.room):
        at = scale.time(NAME + x)
        values.append(next((-state.loss(v) for t, v in reversed(state.trail) if t <= at), None))
    known = [value for value in values if value is not None]
    bars = sparks(known, len(known), None, max(known) + 0.6 * (max(known) - min(known))) if known else ""
    row: list[Span] = [(" ", "")] * (scale.room - len(known)) + [(char, "good") for char in bars]
    return _row(row, cursor, (f"★ {number(state.trail[-1][1])}", "good"))


def _lane(moments: Iterable[Moment], scale: Scale, cursor: int) -> list[Span]:
    row: list[tuple[str, str, int]] = [("─", "line", 0)] * scale.room
    for moment in moments:
        glyph, style, weight = SIGNS.get(moment.kind, ("·", "faint", 0))
        if moment.kind == "ExperimentFinished" and moment.bad:
            glyph, style, weight = "✗", "bad", 5
        x = scale.cell(moment.at) - NAME
        if weight > row[x][2]:
            row[x] = glyph, style, weight
    return list(_row([(glyph, style) for glyph, style, _ in row], cursor, None))


def _row(row: Sequence[Span], cursor: int, name: Span | None) -> Line:
    """A lane with the cursor's column marked; runs of one style together."""
    spans: list[Span] = [(fit(name[0], NAME), name[1])] if name else []
    lead = len(spans)
    for x, (char, style) in enumerate(row):
        shown = f"{style} mark".strip() if x + NAME == cursor else style
        if len(spans) > lead and spans[-1][1] == shown:
            spans[-1] = spans[-1][0] + char, shown
        else:
            spans.append((char, shown))
    return tuple(spans)

"""The story in lines: when, what kind, what happened."""

from __future__ import annotations

from collections.abc import Iterable

from company.snapshot import Mark, Snapshot
from company.wording import span
from tui.draw.glyphs import TONE
from tui.draw.ink import Line, said, wrap


def news(shot: Snapshot, most: int, room: int) -> list[Line]:
    """The latest lines of the company, the newest last."""
    latest: list[Mark] = []
    for mark in reversed(shot.story):
        if len(latest) >= most:
            break
        latest.append(mark)
    return [mark_line(mark, room) for mark in reversed(latest)]


def mark_line(mark: Mark, room: int) -> Line:
    """One moment in one line."""
    glyph, style = TONE.get(mark.tone, ("·", "faint"))
    at = f"{span(mark.at):>8} "
    return (
        (at, "faint"),
        (f"{glyph} ", style),
        (said(mark.words, room - len(at) - 2), "text" if mark.tone else "muted"),
    )


def told(marks: Iterable[Mark], room: int, lines: int = 2) -> list[Line]:
    """Moments with room to say more, `lines` each."""
    found: list[Line] = []
    for mark in marks:
        glyph, style = TONE.get(mark.tone, ("·", "faint"))
        words = wrap(mark.words, max(1, room - 11), lines)
        for index, text in enumerate(words):
            lead = (f"{span(mark.at):>8} " if not index else " " * 9, "faint")
            found.append((lead, (f"{glyph} " if not index else "  ", style), (text, "text" if mark.tone else "muted")))
    return found

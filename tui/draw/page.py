"""Parts of a page about one agent or one experiment: headings, facts, paragraphs."""

from __future__ import annotations

from collections.abc import Sequence

from tui.draw.ink import EMPTY, Line, Span, fit, wrap

LABEL = 11


def heading(title: str, room: int) -> list[Line]:
    """A blank line and a title over a rule."""
    return [EMPTY, ((title, "accent b"), (" " + "─" * max(0, room - len(title) - 1), "line"))]


def fact(name: str, *spans: Span | str) -> Line:
    """A name and what there is to say."""
    said = tuple(span if isinstance(span, tuple) else (span, "text") for span in spans)
    return ((fit(name, LABEL) + " ", "muted"), *said)


def paragraph(name: str, text: str, room: int, most: int = 4, style: str = "text") -> list[Line]:
    """A fact of several lines."""
    lines = wrap(text, max(8, room - LABEL - 1), most)
    return [
        ((fit(name if not index else "", LABEL) + " ", "muted"), (words, style)) for index, words in enumerate(lines)
    ]


def columns(rows: Sequence[Sequence[Span]], gap: int = 2) -> list[Line]:
    """Rows of cells, every column as wide as its widest cell."""
    from tui.draw.ink import cells

    widths = [max(cells(row[i][0]) for row in rows if i < len(row)) for i in range(max(map(len, rows), default=0))]
    return [
        tuple((fit(text, widths[i]) + " " * gap, style) for i, (text, style) in enumerate(row)) for row in rows
    ]  # fmt: skip

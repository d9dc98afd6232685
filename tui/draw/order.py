"""An order before it is given: the evidence, then what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from tui.draw.ink import Line, wrap
from tui.draw.page import heading, paragraph
from tui.evidence import Fact
from tui.orders import Order

MOST = 4  # lines a fact


def order_lines(order: Order, room: int) -> list[Line]:
    """All that there is to know before an order is confirmed."""
    return [*fact_lines(order.facts, room), *heading("What follows", room), *_follows(order.follows, room)]


def fact_lines(facts: Sequence[Fact], room: int) -> list[Line]:
    """Facts, each with its name."""
    return [line for fact in facts for line in paragraph(fact.name, fact.words, room, MOST, fact.style)]


def _follows(follows: Sequence[str], room: int) -> list[Line]:
    lines: list[Line] = []
    for each in follows:
        for index, words in enumerate(wrap(each, max(8, room - 2), MOST)):
            lines.append((("→ " if not index else "  ", "accent b"), (words, "text")))
    return lines

"""Curves in braille: two by four dots a cell, several series on one pair of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from company.wording import number
from tui.draw.ink import Line, Span, fit

DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
AXIS = 7  # cells for the numbers beside the axis

Points = Sequence[tuple[float, float]]


def plot(
    series: Sequence[tuple[Points, str]], room: int, height: int, bands: Sequence[tuple[Points, Points, str]] = (),
    tags: Sequence[str] = (),
) -> list[Line]:  # fmt: skip
    """Curves of (x, y), each in a style, in `height` lines and the numbers of the axes; empty without two points.

    `bands` lie behind them, between a lower and an upper curve; `tags` are single cells at the ends of the curves.
    """
    known = [([(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)], style) for points, style in series]
    every = [point for points, _ in known for point in points]
    wide = room - AXIS - 1 - bool(tags)
    if len(every) < 2 or wide < 4 or height < 2:
        return []
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    low, high = _range([y for _, y in every])
    grid: list[list[tuple[int, str]]] = [[(0, "")] * wide for _ in range(height)]
    for low_ends, high_ends, style in bands:
        _shade(
            grid,
            [(_at(x, left, right, wide * 2), _at(y, high, low, height * 4)) for x, y in low_ends],
            [_at(y, high, low, height * 4) for _, y in high_ends],
            style,
        )
    for points, style in known:
        _draw(grid, [(_at(x, left, right, wide * 2), _at(y, high, low, height * 4)) for x, y in points], style)
    ends = {
        _at(points[-1][1], high, low, height * 4) // 4: (tag, f"{style} b")
        for (points, style), tag in zip(known, tags, strict=False)
        if points
    }
    lines = [(*_row(grid[y], _label(y, height, low, high)), *_tag(ends.get(y))) for y in range(height)]
    first, last = number(left, 3), number(right, 3)
    gap = " " * max(1, wide - len(first) - len(last))
    return [*lines, ((" " * (AXIS + 1), ""), (first + gap + last, "faint"))]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """What the axis shows: everything, but a start far above the rest does not flatten it."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    usual = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
    if high - low > 4 * (usual - low) > 0:
        high = low + 2 * (usual - low)
    pad = 0.04 * (high - low) or abs(low) * 0.05 or 1.0
    return low - pad, high + pad


def _at(value: float, start: float, stop: float, dots: int) -> int:
    share = 0.5 if stop == start else (value - start) / (stop - start)
    return min(dots - 1, max(0, round(share * (dots - 1))))


def _draw(grid: list[list[tuple[int, str]]], dots: Sequence[tuple[int, int]], style: str) -> None:
    for (x1, y1), (x2, y2) in zip(dots, [*dots[1:], dots[-1]], strict=True):
        steps = max(abs(x2 - x1), abs(y2 - y1), 1)
        for step in range(steps + 1):
            x, y = round(x1 + (x2 - x1) * step / steps), round(y1 + (y2 - y1) * step / steps)
            mask = grid[y // 4][x // 2][0]
            grid[y // 4][x // 2] = mask | DOTS[x % 2][y % 4], style


def _shade(
    grid: list[list[tuple[int, str]]], lower: Sequence[tuple[int, int]], upper: Sequence[int], style: str
) -> None:
    """Every other dot between two curves that share their x; y counts from the top."""
    for ((x1, below), above), (x2, _) in zip(zip(lower, upper, strict=True), [*lower[1:], lower[-1]], strict=True):
        for x in range(x1, max(x1 + 1, x2)):
            for y in range(above, below + 1):
                if (x + y) % 2 == 0:
                    mask, was = grid[y // 4][x // 2]
                    grid[y // 4][x // 2] = mask | DOTS[x % 2][y % 4], was or style


def _tag(tag: Span | None) -> Line:
    return (tag,) if tag is not None else ()


def _row(row: Sequence[tuple[int, str]], label: str) -> Line:
    spans: list[Span] = [(fit(label, AXIS, right=True), "faint"), ("┤" if label else "│", "line")]
    for mask, style in row:
        char = chr(0x2800 + mask) if mask else " "
        if spans[-1][1] == style and len(spans) > 2:
            spans[-1] = spans[-1][0] + char, style
        else:
            spans.append((char, style))
    return tuple(spans)


def _label(y: int, height: int, low: float, high: float) -> str:
    if y in (0, height - 1) or (height >= 7 and y == height // 2):
        return number(high - (high - low) * (y + 0.5) / height, 3)
    return ""

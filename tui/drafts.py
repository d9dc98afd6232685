"""The chart as it is being edited: checked, drawn, and compared with the chart in force. No Textual here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from company.chart import OrgChart
from company.chart_diff import Change, diff_charts
from company.chart_problems import ChartError, Problem
from company.chart_yaml import dump_chart, parse_chart
from company.wording import count
from tui.draw.ink import EMPTY, Line, line, wrap

SIGNS = {"hired": ("+", "good"), "removed": ("−", "bad"), "moved": ("⇄", "busy")}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a text means: a chart, or what is wrong with it."""

    text: str
    chart: OrgChart | None
    problems: tuple[Problem, ...] = ()


def check(text: str) -> Draft:
    """Read a chart's text; never raises."""
    try:
        return Draft(text, parse_chart(text))
    except ChartError as error:
        return Draft(text, None, error.problems)
    except RecursionError:
        return Draft(text, None, (Problem("chart", 0, 0, "is nested too deeply"),))


def text_in_force(directory: Path, chart: OrgChart) -> str:
    """The run's own chart file where it says what is in force, else its comments around the chart in force."""
    try:
        text = (directory / "chart.yaml").read_text(encoding="utf-8")
        return text if same(parse_chart(text), chart) else dump_chart(chart, onto=text)
    except (OSError, ValueError, ChartError):
        return dump_chart(chart)


def same(one: OrgChart, other: OrgChart) -> bool:
    """Whether two charts mean the same; a run's own budget may have come from the command line."""
    return one.model_copy(update={"budget": other.budget}) == other


def changes(before: OrgChart, after: OrgChart) -> tuple[Change, ...]:
    """What differs, budgets given on the command line left aside where the draft has the file's."""
    return diff_charts(before, after)


def diff_lines(found: Sequence[Change], room: int, against: str = "the chart in force") -> list[Line]:
    """The differences, people first."""
    if not found:
        return [line((f"nothing differs from {against}", "muted"))]
    kinds = [change.kind for change in found]
    named = (("hired", "position added"), ("removed", "position removed"), ("moved", "move"))
    parts = [count(kinds.count(kind), words) for kind, words in named if kind in kinds]
    others = sum(kind not in SIGNS for kind in kinds)
    parts += [count(others, "other change")] if others else []
    lines = [line((", ".join(_plural(part) for part in parts), "strong b")), EMPTY]
    for change in found:
        glyph, style = SIGNS.get(change.kind, ("~", "warn"))
        for index, text in enumerate(wrap(str(change), max(8, room - 2), 4)):
            lines.append(line((f"{glyph} " if not index else "  ", f"{style} b"), (text, "text")))
    return lines


def _plural(part: str) -> str:
    return part.replace("position addeds", "positions added").replace("position removeds", "positions removed")


def problem_lines(problems: Sequence[Problem], room: int, current: int = -1) -> list[Line]:
    """A line or two a problem, with its place."""
    if not problems:
        return [line(("✓ ", "good b"), ("sound", "good"))]
    lines: list[Line] = []
    for index, problem in enumerate(problems):
        place = f"{problem.line}:{problem.column} " if problem.line else ""
        style = "strong b" if index == current else "text"
        for row, text in enumerate(wrap(problem.message, max(8, room - len(place) - 2), 3)):
            lead = (("✗ ", "bad b"), (place, "warn")) if not row else ((" " * (2 + len(place)), ""),)
            lines.append((*lead, (text, style)))
    return lines

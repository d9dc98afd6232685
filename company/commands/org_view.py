"""How a chart looks in a terminal. Its text is a stranger's: it is never read as markup."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from company.chart import OrgChart, Talent
from company.chart_diff import brain_text
from company.chart_notes import notes
from company.chart_problems import printable
from company.policies import Policies

_COLOURS = {"manager": "magenta", "researcher": "green", "engineer": "cyan", "reviewer": "yellow"}
_PIPE_WIDTH = 120


def print_chart(chart: OrgChart) -> None:
    """Write the chart to standard output, and what it asks for that does not act yet to standard error."""
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    console.print(Text(printable(chart.company), "bold"), Text(printable(chart.mission.strip()), "dim"), sep="  ")
    console.print(_branch(chart, chart.root, None))
    for title, lines in (("budget", _budget(chart)), ("policies", _policies(chart)), ("talent", _talent(chart))):
        for index, line in enumerate(lines):
            console.print(Text(f"{title if not index else '':<10}", "dim") + Text(printable(line)))
    for note in notes(chart):
        print(f"note: {note}", file=sys.stderr)


def _branch(chart: OrgChart, id: str, parent: Tree | None) -> Tree:
    branch = parent.add(_seat(chart, id)) if parent else Tree(_seat(chart, id), guide_style="dim")
    for report in chart.reports(id):
        _branch(chart, report, branch)
    return branch


def _seat(chart: OrgChart, id: str) -> Text:
    position = chart.position(id)
    title = f"  {printable(position.title)}" if position.title else ""
    brain = "" if position.effective_brain.kind == "policy" else f"  {brain_text(position.effective_brain)}"
    return Text.assemble((position.id, "bold"), title, "  ", (position.role, _COLOURS[position.role]), printable(brain))


def _budget(chart: OrgChart) -> list[str]:
    limits = chart.budget.model_dump(exclude_none=True)
    return [", ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in limits.items())]


def _policies(chart: OrgChart) -> list[str]:
    sight = chart.communication if isinstance(chart.communication, str) else f"{len(chart.communication.edges)} pairs"
    changed = [f"{name}: {_settings(value)}" for name, value in _changed(chart.policies)]
    return [f"results are seen by: {sight}", *(changed or ["all at their defaults"])]


def _changed(policies: Policies) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from policies.model_dump(mode="json", exclude_defaults=True).items()


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} {_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return f"({_settings(value)})" if isinstance(value, dict) else str(value)


def _talent(chart: OrgChart) -> list[str]:
    return [", ".join(_candidate(who) for who in chart.talent)] if chart.talent else []


def _candidate(who: Talent) -> str:
    brain = "" if who.effective_brain.kind == "policy" else f" {brain_text(who.effective_brain)}"
    many = f" x{who.count}" if who.count > 1 else ""
    known = f" ({len(who.record)} record{'s' if len(who.record) > 1 else ''})" if who.record else ""
    return f"{who.name + ': ' if who.name else ''}{who.role}{brain}{many}{known}"

"""`loopworks compare`: what a policy is worth, measured over the same simulated worlds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.comparison import Comparison, Job, Row, Setting
    from company.paired import Difference


@click.command()
@click.argument("chart")
@click.option("--set", "options", multiple=True, metavar="KEY=V1,V2", help="Values of a policy; several --set: every "
              "combination. The first values are what the others are compared with.")  # fmt: skip
@click.option("--project", default="planted", show_default=True, help="Simulated tasks: planted, or one kind of them.")
@click.option("--seeds", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many worlds.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first of them.")
@click.option("--experiments", type=click.IntRange(min=1), help="Training runs of research, instead of the chart's.")
@click.option("--slots", type=click.IntRange(1, 1024), default=2, show_default=True, help="Experiments at a time.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; as many as there are cores otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def compare(
    chart: str, options: tuple[str, ...], project: str, seeds: int, seed: int, experiments: int | None, slots: int,
    jobs: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Run a company under several settings in the same simulated worlds, and say what the difference is.

    Regret is how far the champion truly is from the best there is: 0 the best, 1 a random draw. Differences are
    against the first setting, paired by world; each 95 % interval stands for itself.

    loopworks compare turnaround --set policies.replace.rule=never,posterior --set policies.assign.share=equal,bandit
    """
    settings = _settings(chart, options, experiments)
    from company.comparison import compare as compared
    from company.comparison import jobs as planned

    _check_project(project)
    todo = planned(settings, project, range(seed, seed + seeds), slots)
    try:
        found = compared(settings, _run(todo, min(jobs or _cores(), len(todo))))
    except BrokenProcessPool:
        click.echo("loopworks: a process was lost, perhaps for want of memory: try a smaller --jobs", err=True)
        sys.exit(Exit.FAILED)
    if as_json:
        head = {"chart": chart, "project": project, "seed": seed, "seeds": seeds, "slots": slots}
        click.echo(json.dumps({**head, **found.to_dict()}, allow_nan=False))
    else:
        _show(found)


def _settings(chart: str, options: Sequence[str], experiments: int | None) -> tuple[Setting, ...]:
    from company.chart_notes import simulated
    from company.chart_problems import ChartError, printable
    from company.chart_yaml import load_chart
    from company.comparison import settings
    from company.edits import EditError

    try:
        loaded = load_chart(chart)
        if note := simulated([loaded]):
            click.echo(f"note: {note}", err=True)
        if experiments is not None:
            loaded = loaded.model_copy(update={"budget": {"experiments": experiments}})
        return settings(loaded, options)
    except (ChartError, EditError) as error:
        click.echo(printable(str(error)) if isinstance(error, EditError) else str(error), err=True)
        sys.exit(Exit.USAGE)


def _check_project(name: str) -> None:
    from company.chart_problems import quoted, suggest
    from company.simulated import FAMILIES

    if name not in FAMILIES:
        hint = suggest(name, FAMILIES) or "."
        click.echo(f"no simulated project {quoted(name)}{hint} There is {', '.join(FAMILIES)}", err=True)
        sys.exit(Exit.USAGE)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(todo: Sequence[Job], processes: int) -> list[Row]:
    """All rows; a person at a terminal sees how far it is."""
    from rich.console import Console
    from rich.progress import track

    from company.comparison import run

    talk = Console(stderr=True)
    rows = run(todo, processes)
    return list(track(rows, "companies at work", len(todo), console=talk, transient=True, disable=not talk.is_terminal))


def _show(found: Comparison) -> None:
    """Two tables that fit a narrow terminal, then what may be concluded."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console()
    means = Table("setting", box=None, padding=(0, 2, 0, 0))
    for heading in ("regret", "replaced", "restructured", "experiments"):
        means.add_column(heading, justify="right", no_wrap=True)
    for i, setting in enumerate(found.settings):
        means.add_row(escape(setting.name), *_means(found, i))
    against = Table(f"against {escape(found.settings[0].name)}", box=None, padding=(0, 2, 0, 0))
    for heading in ("difference", "95 % interval", "ratio", "95 % interval"):
        against.add_column(heading, justify="right", no_wrap=True)
    for each in found.differences:
        against.add_row(escape(each.setting), *_difference(each))
    out.print(means, *(["", against, ""] if found.differences else []), sep="\n")
    for each in found.differences:
        out.print(escape(each.says), highlight=False)


def _means(found: Comparison, i: int) -> list[str]:
    counts = (found.mean(i, name) for name in ("replacements", "structure_changes", "experiments"))
    return [f"{found.mean(i, 'regret'):.4f}", *(f"{count:.1f}" for count in counts)]


def _difference(each: Difference) -> list[str]:
    cells = [f"{each.difference:+.4f}", _interval(each.low, each.high, "+.4f")]
    return [
        *cells,
        "" if each.ratio is None else f"{each.ratio:.2f}",
        _interval(each.ratio_low, each.ratio_high, ".2f"),
    ]


def _interval(low: float | None, high: float | None, form: str) -> str:
    return "" if low is None or high is None else f"{low:{form}} to {high:{form}}"

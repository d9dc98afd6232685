"""`loopworks org`: look at, check, compare and start org charts; fill a talent pool from runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.chart import OrgChart
    from company.chart_problems import ChartError

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")


@click.group()
def org() -> None:
    """Look at, check, compare and start org charts."""


@org.command()
@click.argument("chart")
@_JSON
def show(chart: str, as_json: bool) -> None:
    """Show who sits where, with which brain, by which policies.

    Policies are shown where they differ from the default. CHART is a file or the bare name of a shipped chart, such as
    startup.
    """
    found = _load(chart)
    from company.chart_notes import notes
    from company.commands.org_view import print_chart

    if as_json:
        _print_json({"chart": found.to_dict(), "notes": list(notes(found))})
    else:
        print_chart(found)


@org.command()
@click.argument("charts", nargs=-1, required=True)
@_JSON
def check(charts: tuple[str, ...], as_json: bool) -> None:
    """Say all that is wrong with each chart, with line and column. Exit code 2 if anything is."""
    reports = [_report(chart) for chart in charts]
    if as_json:
        _print_json({"charts": reports})
    else:
        for report in reports:
            _print_report(report)
    if not all(report["ok"] for report in reports):
        sys.exit(Exit.USAGE)


@org.command()
@click.argument("before")
@click.argument("after")
@_JSON
def diff(before: str, after: str, as_json: bool) -> None:
    """Say what changes between two charts: people and policies."""
    old, new = _load(before), _load(after)
    from company.chart_diff import diff_charts
    from company.chart_problems import printable

    changes = diff_charts(old, new)
    if as_json:
        _print_json({"changes": [change.to_dict() for change in changes]})
        return
    for change in changes:
        click.echo(printable(str(change)))
    if not changes:
        click.echo("The two charts mean the same.", err=True)


@org.command()
def schema() -> None:
    """Print the JSON schema of a chart. An editor completes and explains with it."""
    from company.chart_schema import schema_text

    click.echo(schema_text(), nl=False)


@org.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path))
def talent(directories: tuple[Path, ...]) -> None:
    """Print who did research in some runs, and what they were worth.

    DIRECTORIES are those of the runs. The output is a file for `loopworks run --talent`. The same brain with the same
    settings is one candidate.
    """
    from company.chart_problems import printable
    from company.ledger import LedgerError
    from company.talent_export import talent_of
    from company.talent_file import dump_talent

    try:
        found, notes = talent_of(directories)
    except LedgerError as error:
        _fail(printable(str(error)))
    click.echo(dump_talent(found), nl=False)
    for note in notes if found else [*notes, "nobody in these runs has been appraised as a researcher"]:
        click.echo(printable(note), err=True)


@org.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "template", default="startup", show_default=True, help="The chart to start from.")
@click.option("--company", help="The company's name; the file's name when left out.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def new(file: Path, template: str, company: str | None, force: bool) -> None:
    """Write FILE as a copy of a chart to change, comments included."""
    from company.chart_problems import printable

    shown = printable(str(file))
    if file.exists() and not force:
        _fail(f"{shown} exists; --force overwrites it")
    text = _new_text(template, company or file.stem)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(f"{shown}: cannot be written: {error.strerror or error}")
    click.echo(shown)
    click.echo("Check it with `loopworks org check`; for help in an editor put the output of", err=True)
    click.echo("`loopworks org schema` beside it as schema.json.", err=True)


def _new_text(template: str, company: str) -> str:
    from company.chart import OrgChart
    from company.chart_problems import ChartError
    from company.chart_yaml import dump_chart, find_chart, parse_chart, read_text

    try:
        text = read_text(find_chart(template))
        chart = parse_chart(text, template)
        return dump_chart(OrgChart.from_dict({**chart.to_dict(), "company": company}, "--company"), onto=text)
    except ChartError as error:
        _fail(str(error))


def _load(chart: str) -> OrgChart:
    from company.chart_problems import ChartError
    from company.chart_yaml import load_chart

    try:
        return load_chart(chart)
    except ChartError as error:
        _fail(str(error))


def _report(chart: str) -> dict[str, Any]:
    from company.chart_notes import notes
    from company.chart_problems import ChartError, printable
    from company.chart_yaml import load_chart

    try:
        found = load_chart(chart)
    except ChartError as error:
        return {"chart": printable(chart), "ok": False, "problems": _plain(error), "notes": []}
    return {"chart": printable(chart), "ok": True, "problems": [], "notes": list(notes(found))}


def _plain(error: ChartError) -> list[dict[str, Any]]:
    return [
        {"path": each.path, "line": each.line, "column": each.column, "message": each.message, "text": str(each)}
        for each in error.problems
    ]


def _print_report(report: dict[str, Any]) -> None:
    for problem in report["problems"]:
        click.echo(problem["text"])
    if report["ok"]:
        click.echo(f"{report['chart']}: ok", err=True)
    for note in report["notes"]:
        click.echo(f"{report['chart']}: note: {note}", err=True)


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2))


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(Exit.USAGE)

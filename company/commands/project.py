"""`loopworks project`: look at training projects, check one of your own, and measure what its steps cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from company.commands.recordings import import_table, record, surrogate
from company.exits import Exit

if TYPE_CHECKING:
    from projects.load import ProjectError
    from projects.spec import Project

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")


@click.group()
def project() -> None:
    """Look at, check, calibrate and record training projects."""


for _command in (record, import_table, surrogate):
    project.add_command(_command)


@project.command("list")
@_JSON
def list_(as_json: bool) -> None:
    """The projects that come with Loopworks."""
    from projects.load import shipped_projects

    found = [_load(name) for name in shipped_projects()]
    if as_json:
        return _print_json({"projects": [_describe(item) for item in found]})
    for item in found:
        click.echo(f"{item.name:10} {item.title}; {item.metric.name}, {item.budget_seconds:g} s a run")
    return None


@project.command()
@click.argument("name")
@_JSON
def show(name: str, as_json: bool) -> None:
    """What a project measures, what may change, what a run costs. NAME is a shipped name or a folder."""
    found = _load(name)
    if as_json:
        _print_json(_describe(found))
    else:
        _print_project(found)


@project.command()
@click.argument("path")
@click.option(
    "--run", "really", is_flag=True, help="Also prepare data, train a few steps and evaluate (about a minute)."
)
@_JSON
def check(path: str, really: bool, as_json: bool) -> None:
    """Say everything that is missing or wrong in a project. Exit code 2 if anything is.

    PATH is a project's folder or a shipped name. docs/projects.md walks through making one.
    """
    from projects.load import ProjectError, load_project

    calibrated = True
    try:
        found = load_project(path, costs=False)
        try:
            found = load_project(path)
        except ProjectError:
            calibrated = False
            if not really:
                raise
    except ProjectError as error:
        if as_json:
            _print_json({"ok": False, "problems": error.problems})
            sys.exit(Exit.USAGE)
        _stop(error)
    findings = _try_out(found, as_json) if really else []
    passed = all(finding["passed"] for finding in findings)
    if as_json:
        _print_json({"ok": passed, "name": found.name, "calibrated": calibrated, "findings": findings})
    else:
        if passed:
            click.echo(f"{found.name}: {len(found.space.parameters)} parameters, the contract is kept")
        if passed and not calibrated:
            click.echo(f"next: loopworks project calibrate {path}", err=True)
    if not passed:
        sys.exit(Exit.USAGE)


@project.command()
@click.argument("path")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the table goes (default: costs.json in the project)."
)
def calibrate(path: str, out: Path | None) -> None:
    """Measure what a training step costs here; writes costs.json.

    One number for each shape, on one core. Step budgets come from this table, never from timing during a run. Do it
    while the machine is otherwise idle.
    """
    from projects.costs import calibrate as measure
    from projects.read_costs import read_costs
    from projects.trial import TrialError

    found = _load(path, costs=False)
    target = out or found.folder / "costs.json"
    try:
        with _Bar() as bar:
            table = measure(found, bar)
        read_costs(json.dumps(table))
        target.write_text(_pretty(table))
    except TrialError as problem:
        click.echo(f"{found.folder}: {problem}", err=True)
        sys.exit(Exit.FAILED)
    except OSError as problem:
        click.echo(f"{target}: cannot be written ({problem.strerror}); name another file with --out", err=True)
        sys.exit(Exit.USAGE)
    click.echo(f"wrote {target}: {len(table['base'])} shapes on {table['machine']}", err=True)


def _load(name: str, *, costs: bool = True) -> Project:
    from projects.load import ProjectError, load_project

    try:
        return load_project(name, costs=costs)
    except ProjectError as error:
        _stop(error)


def _stop(error: ProjectError) -> NoReturn:
    for problem in error.problems:
        click.echo(problem, err=True)
    sys.exit(Exit.USAGE)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def _describe(found: Project) -> dict[str, Any]:
    from projects.brief import describe

    steps = found.steps(found.baseline)
    return {**describe(found), "baseline_steps": steps, "calibrated_on": found.costs.machine}


def _print_project(found: Project) -> None:
    from projects.spec import describe_range

    metric, best = found.metric, "lowest" if found.metric.direction == "min" else "highest"
    click.echo(f"{found.name} {found.version}: {found.title}")
    click.echo(f"  metric    {metric.name}, {best} is best" + (f" ({metric.unit})" if metric.unit else ""))
    if found.references:
        click.echo("  reference " + ", ".join(f"{name} {value:g}" for name, value in found.references.items()))
    click.echo(f"  budget    {found.budget_seconds:g} s: {found.steps(found.baseline)} steps of the baseline")
    click.echo(f"  limits    {found.limits.memory_mb} MB, {found.limits.seconds:g} s")
    click.echo(f"  costs     measured on {found.costs.machine}")
    click.echo(f"  folder    {found.folder}")
    for parameter in found.space.parameters:
        value = found.baseline[parameter.name]
        click.echo(f"  {parameter.name:16} {value!s:10} {describe_range(parameter):40} {parameter.about}".rstrip())


def _try_out(found: Project, quiet: bool) -> list[dict[str, Any]]:
    import dataclasses

    from projects.check import try_out

    findings = []
    for finding in try_out(found):
        findings.append(dataclasses.asdict(finding))
        if not quiet:
            click.echo(f"{'passed' if finding.passed else 'FAILED'}  {finding.name:12} {finding.detail}")
    return findings


def _pretty(table: dict[str, Any]) -> str:
    """JSON with one line for each entry of the first level, and of the tables in it."""
    lines = []
    for key, value in table.items():
        if isinstance(value, dict) and value:
            inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


class _Bar:
    """A progress bar on standard error; calling it moves it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("data")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, done: int, of: int, what: str) -> None:
        self._progress.update(self._task, completed=done, total=of, description=what)

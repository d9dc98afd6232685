"""`loopworks validate`: does the simulator reproduce planted truth and published results?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from company.exits import Exit

if TYPE_CHECKING:
    from rich.table import Table

    from company.validation import Finding

MARKS = {True: "[green]pass[/]", False: "[red]FAIL[/]", None: "[dim]shown[/]"}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="First seed.")
@click.option("--full", is_flag=True, help="More replicates: minutes instead of seconds.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; as many as there are cores otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def validate(names: tuple[str, ...], seed: int, full: bool, jobs: int | None, as_json: bool) -> None:
    """Check the simulator against what is known; every validation, or those that are named.

    appraisal plants people of known worth, noise-gate proposals that do nothing and gains of known size; queue, review,
    zollman, march, pluchino, lazer, barkoczi and scullen reproduce published results; nk and secretary are unit checks.
    docs/odd.md describes them.

    Sources: A closed form or the authors' data, R an independent replication, S secondary text, O our own regression
    value. Ends with 1 if a check fails.
    """
    from company.validation import VALIDATIONS

    _check(names)
    try:
        found = _findings(list(dict.fromkeys(names)) or list(VALIDATIONS), seed, full, jobs)
    except BrokenProcessPool:
        click.echo("loopworks: a process was lost, perhaps for want of memory: try --jobs 1", err=True)
        sys.exit(Exit.FAILED)
    if as_json:
        click.echo(json.dumps({name: [asdict(f) for f in findings] for name, findings in found.items()}, indent=1))
    else:
        _show(found)
    failed = any(f.passed is False for findings in found.values() for f in findings)
    sys.exit(Exit.FAILED if failed else Exit.DONE)


def _check(names: Sequence[str]) -> None:
    from company.chart_problems import quoted, suggest
    from company.validation import VALIDATIONS

    for name in names:
        if name not in VALIDATIONS:
            hint = suggest(name, VALIDATIONS)
            raise click.UsageError(f"no validation {quoted(name)}: there is {', '.join(VALIDATIONS)}{hint}")


def _findings(names: Sequence[str], seed: int, full: bool, jobs: int | None) -> dict[str, list[Finding]]:
    """Run the validations side by side; a person at a terminal sees how far it is."""
    from rich.console import Console

    from company.processes import as_done, cores
    from company.validation import Job, work

    todo = [Job(name, seed, full) for name in names]
    done: dict[int, list[Finding]] = {}
    with Console(stderr=True).status(_still(names, done)) as status:
        for index, findings in as_done(work, todo, min(jobs or cores(), len(todo)), ("company.validation",)):
            done[index] = findings
            status.update(_still(names, done))
    return {name: done[i] for i, name in enumerate(names)}


def _still(names: Sequence[str], done: dict[int, list[Finding]]) -> str:
    left = [name for i, name in enumerate(names) if i not in done]
    return f"{len(done)} of {len(names)} done; still to come: {', '.join(left)}"


def _show(found: dict[str, list[Finding]]) -> None:
    from rich.console import Console
    from rich.markup import escape

    out = Console()
    for name, findings in found.items():
        sources = "; ".join(dict.fromkeys(f.source for f in findings if f.source))
        out.print(f"[bold]{escape(name)}[/]  [dim]{escape(sources)}[/]", highlight=False)
        out.print(_table(findings))
    judged = [f.passed for findings in found.values() for f in findings if f.passed is not None]
    seconds = sum(f.seconds for findings in found.values() for f in findings)
    out.print(f"{sum(judged)} of {len(judged)} checks pass; {seconds:.0f} s of work", highlight=False)


def _table(findings: Sequence[Finding]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), expand=True)
    table.add_column("check", ratio=1)
    widths = {"expected": 15, "measured": 8, "95 % interval": 16, "": 5, "grade": 5, "s": 5}
    for heading, width in widths.items():
        right: Any = "right" if heading in ("measured", "s") else "left"
        table.add_column(heading, justify=right, width=width)
    for f in findings:
        interval = f"{_short(f.low)} to {_short(f.high)}"
        spent = f"{f.seconds:.1f}" if f.seconds else ""
        expected = escape(f"{f.expected} {f.tolerance}".strip())
        kind = f.source.rpartition("[")[2].rstrip("]")[-1:] if f.source.endswith("]") else ""
        table.add_row(escape(f.check), expected, _short(f.measured), interval, MARKS[f.passed], kind, spent)
    return table


def _short(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"

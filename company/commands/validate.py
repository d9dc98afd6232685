"""`loopworks validate`: does the simulator reproduce planted truth and published results?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.validation import Finding

MARKS = {True: "[green]pass[/]", False: "[red]FAIL[/]", None: "[dim]shown[/]"}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="First seed.")
@click.option("--full", is_flag=True, help="More replicates: minutes instead of seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def validate(names: tuple[str, ...], seed: int, full: bool, as_json: bool) -> None:
    """Check the simulator against what is known; every validation, or those that are named.

    Ends with 1 if a check fails.
    """
    from company.validation import VALIDATIONS

    for name in names:
        if name not in VALIDATIONS:
            raise click.UsageError(f"no validation '{name}': there is {', '.join(VALIDATIONS)}")
    found = _findings(names or tuple(VALIDATIONS), seed, full)
    if as_json:
        click.echo(json.dumps({name: [asdict(f) for f in findings] for name, findings in found.items()}, indent=1))
    else:
        _show(found)
    failed = any(f.passed is False for findings in found.values() for f in findings)
    sys.exit(Exit.FAILED if failed else Exit.DONE)


def _findings(names: Sequence[str], seed: int, full: bool) -> dict[str, list[Finding]]:
    """Run the validations; a person at a terminal sees which one is at work."""
    from rich.console import Console

    from company.validation import VALIDATIONS, run

    found: dict[str, list[Finding]] = {}
    with Console(stderr=True).status("") as status:
        for name in dict.fromkeys(names):
            found[name] = []
            status.update(f"{name}: {VALIDATIONS[name][1]}")
            for finding in run(name, seed, full):
                found[name].append(finding)
                status.update(f"{name}: {len(found[name])} figures")
    return found


def _show(found: dict[str, list[Finding]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("check", "expected", "tolerance", "measured", "95 % interval", "", "seconds"):
        right: Any = "right" if heading in ("measured", "seconds") else "left"
        table.add_column(heading, justify=right, no_wrap=heading != "check")
    for name, findings in found.items():
        table.add_row(f"[bold]{name}[/]")
        for f in findings:
            interval = f"{f.low:.3f} to {f.high:.3f}"
            spent = f"{f.seconds:.1f}" if f.seconds else ""
            table.add_row(f.check, f.expected, f.tolerance, f"{f.measured:.3f}", interval, MARKS[f.passed], spent)
    Console().print(table)

"""`loopworks doctor`: what this machine offers, and what to do about what is missing."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.doctor import Check

MARKS = {"ok": "[green]ok[/]", "missing": "[yellow]missing[/]", "broken": "[red]broken[/]"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
@click.option("--attacks", is_flag=True, help="Attack the sandbox at every level that this machine has; a minute.")
def doctor(as_json: bool, attacks: bool) -> None:
    """Say what was found on this machine (GPUs, sandbox, optional parts) and what to do.

    Ends with 1 if something required is broken. With --attacks: what misbehaving training code can do here, tried for
    real on made-up targets; ends with 1 if anything wins that should have been stopped.
    """
    if attacks:
        from company.commands.attacks import attack

        sys.exit(attack(as_json))
    from company.doctor import examine, healthy

    checks = examine(Path.cwd())
    if as_json:
        click.echo(json.dumps({"healthy": healthy(checks), "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        show(checks)
    sys.exit(Exit.DONE if healthy(checks) else Exit.FAILED)


def show(checks: list[Check]) -> None:
    """Print the checks as a table, then the advice line by line so that a command can be copied whole."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "", "found"):
        table.add_column(heading, no_wrap=heading != "found", style="bold" if not table.columns else "")
    for check in checks:
        table.add_row(escape(check.name), MARKS[check.state], escape(check.found))
    console.print(table)
    for check in checks:
        if check.advice:
            console.print(f"[bold]{escape(check.name)}:[/] {escape(check.advice)}", soft_wrap=True)
    broken = [check.name for check in checks if check.state == "broken"]
    console.print(f"[red]cannot work yet: {', '.join(broken)}[/]" if broken else "[green]ready to work[/]")

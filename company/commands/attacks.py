"""`loopworks doctor --attacks`: every attack at every level that this machine has, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.attacks.attack import Verdict
    from company.compute.sandbox import Level

WIDE = 110  # columns, from which on there is room to say what each attack does


def attack(as_json: bool) -> Exit:
    """Carry the attacks out and print what came of them; progress goes to standard error."""
    from rich.console import Console

    from company.attacks.trial import ATTACKS, try_all
    from company.compute.backend import ComputeError
    from company.compute.sandbox.levels import LEVELS
    from company.compute.sandbox.probe import probe

    levels: list[Level] = [level for level in LEVELS if probe().has(level)]
    talk, done = Console(stderr=True), 0
    with talk.status("attacking") as status:

        def progress(verdict: Verdict) -> None:
            nonlocal done
            done += 1
            status.update(f"attacking: {verdict.level}, {verdict.attack} ({done} of {len(ATTACKS) * len(levels)})")

        try:
            verdicts = try_all(levels, on_verdict=progress)
        except ComputeError as error:
            click.echo(f"loopworks: {error}", err=True)
            return Exit.FAILED
    if as_json:
        click.echo(json.dumps(document(verdicts, levels), indent=1))
    else:
        show(verdicts, levels)
    return Exit.DONE if all(verdict.as_expected for verdict in verdicts) else Exit.FAILED


def document(verdicts: Sequence[Verdict], levels: Sequence[Level]) -> dict[str, object]:
    """The verdicts for a machine to read."""
    rows = [{**asdict(verdict), "as_expected": verdict.as_expected} for verdict in verdicts]
    return {"levels": list(levels), "as_expected": all(v.as_expected for v in verdicts), "verdicts": rows}


def show(verdicts: Sequence[Verdict], levels: Sequence[Level]) -> None:
    """Print a row an attack and a column a level, then what did not go as it should."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    wide = console.width >= WIDE
    for heading in ("attack", *levels, *(("what it does",) if wide else ())):
        table.add_column(heading, no_wrap=heading != "what it does", style="bold" if not table.columns else "")
    found = {(verdict.attack, verdict.level): verdict for verdict in verdicts}
    for name, tries in {verdict.attack: verdict.tries for verdict in verdicts}.items():
        table.add_row(name, *(mark(found[name, level]) for level in levels), *((tries,) if wide else ()))
    console.print(table)
    wrong = [verdict for verdict in verdicts if not verdict.as_expected]
    for verdict in wrong:
        ended = f"{'won' if verdict.won else 'was stopped'}, recorded as {verdict.recorded}"
        console.print(f"[red]{verdict.attack} at {verdict.level} {ended}[/]: expected: {verdict.expected}")
    console.print("[red]not as it should be[/]" if wrong else "[green]everything is as docs/trust.md says[/]")


def mark(verdict: Verdict) -> str:
    """One cell: red where something won that should have been stopped."""
    if not verdict.won:
        return "[green]stopped[/]"
    return "[yellow]wins[/]" if verdict.as_expected else "[red]WINS[/]"

"""`loopworks report`: what a run has shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from company.commands.inputs import need_no_batch
from company.exits import Exit


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["terminal", "md", "html", "json"]), default="terminal",
              show_default=True, help="How it is written, on standard output.")  # fmt: skip
def report(directory: Path, form: Literal["terminal", "md", "html", "json"]) -> None:
    """Show what the run in DIRECTORY has found, finished or still at work; nothing in it is changed."""
    from company.ledger import LedgerError
    from company.report import report_text

    need_no_batch(directory)
    try:
        text = report_text(directory, form)
    except LedgerError as error:
        click.echo(str(error), err=True)
        sys.exit(Exit.USAGE)
    click.echo(text, nl=False)

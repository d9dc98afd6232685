"""The report of a run, finished or in progress, in the format that a reader asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from rich.console import Console

from company.account import Account, read_run
from company.ledger import LedgerError
from company.report_html import page
from company.report_markdown import markdown
from company.report_terminal import closing_words
from company.summary import summarise

Format = Literal["terminal", "md", "html", "json"]


def report_text(directory: Path, form: Format, width: int | None = None) -> str:
    """The report of a run directory as text. Raises LedgerError when there is no run."""
    account = read_run(directory)
    if form == "html":
        return page(account)
    if form == "md":
        return markdown(account)
    if form == "json":
        return json.dumps(summarise(account), indent=2, allow_nan=False) + "\n"
    console = Console(width=width, highlight=False)
    with console.capture() as caught:
        console.print(closing_words(account))
    return caught.get()


def close_run(directory: Path, console: Console) -> None:
    """At the end of a run: write its report.html and say on `console` what it has shown.

    A report that cannot be made is one line: the run itself is recorded and loses nothing.
    """
    try:
        account = read_run(directory)
        write_html(account, directory / "report.html")
    except (LedgerError, OSError) as error:
        console.print(f"no report was written: {error}", markup=False, highlight=False, soft_wrap=True)
        return
    console.print(closing_words(account), highlight=False)


def write_html(account: Account, path: Path) -> None:
    """Write the HTML report, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(page(account), encoding="utf-8")
    part.replace(path)

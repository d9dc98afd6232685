"""`loopworks tui`: the dashboard over a run, live or finished."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from company.exits import Exit

THEMES = {
    "dark": "loopworks-dark",
    "light": "loopworks-light",
    "safe": "loopworks-safe",
    "ansi": "loopworks-ansi",
}


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option("--theme", type=click.Choice(list(THEMES)), default="dark", show_default=True,
              help="safe: told apart with every common colour vision; ansi: your terminal's own colours.")  # fmt: skip
def tui(directory: Path | None, theme: str) -> None:
    """Look at the run in DIRECTORY, or at the latest one under runs/. Nothing in it is changed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        _refuse("the dashboard needs a terminal; without one: loopworks report DIR")
    sys.exit(show(directory, THEMES[theme]))


def show(directory: Path | None, theme: str) -> Exit:
    """Open the dashboard and return when it is left."""
    import importlib

    source = importlib.import_module("tui.source")  # by name: company stands below tui and never imports it
    found = directory or source.find_run(Path("runs"))
    if found is None:
        importlib.import_module("tui.empty").Empty("runs/", theme).run()
        return Exit.DONE
    look = source.Source(found)
    try:
        look.check()
    except source.SourceError as error:
        _refuse(str(error))
    finally:
        look.close()
    app = importlib.import_module("tui.app").Dashboard(found, theme)
    app.run()
    return Exit.FAILED if app.return_code else Exit.DONE


def _refuse(line: str) -> None:
    click.echo(line, err=True)
    sys.exit(Exit.USAGE)

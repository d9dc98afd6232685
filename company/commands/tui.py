"""`loopworks tui`: the dashboard over a run, live or finished, in the terminal or in a browser on this machine."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from company.exits import Exit

THEMES = {
    "dark": "loopworks-dark",
    "light": "loopworks-light",
    "safe": "loopworks-safe",
    "ansi": "loopworks-ansi",
}
PORT = 8000


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option("--theme", type=click.Choice(list(THEMES)), default="dark", show_default=True,
              help="safe: told apart with every common colour vision; ansi: your terminal's own colours.")  # fmt: skip
@click.option("--readonly", is_flag=True, help="Without the keys that step in.")
@click.option("--demo", is_flag=True, help="A tour of the dashboard, on a company that comes with Loopworks.")
@click.option("--web", is_flag=True, help="In a browser on this machine, instead of in this terminal.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"For --web.  [default: {PORT}]")
def tui(directory: Path | None, theme: str, readonly: bool, demo: bool, web: bool, port: int | None) -> None:
    """Look at the run in DIRECTORY, or at the latest one under runs/. Looking changes nothing in it.

    DIRECTORY may also be that of a batch, or a chart file to edit.
    """
    if demo and directory is not None:
        raise click.UsageError("--demo brings its own run: leave DIRECTORY away")
    if port is not None and not web:
        raise click.UsageError("--port is for --web: give both")
    if web:
        sys.exit(_serve(directory, theme, readonly, demo, port or PORT))
    if not has_screen():
        _refuse("the dashboard needs a terminal; without one: loopworks report DIR")
    sys.exit(show(directory, THEMES[theme], readonly, demo))


def has_screen() -> bool:
    """Whether a dashboard can be shown: in a terminal with a cursor, or by a web server that asked for it."""
    if _is_served():
        return True
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _is_served() -> bool:
    return "web_driver" in os.environ.get("TEXTUAL_DRIVER", "")


def read_keys() -> Mapping[str, str]:
    """The keymap of the configuration file; says everything that is wrong with it and exits with 2."""
    places, keymap = importlib.import_module("tui.places"), importlib.import_module("tui.keymap")
    try:
        return keymap.read_keymap(places.config_file(), needed=bool(os.environ.get("LOOPWORKS_CONFIG")))
    except keymap.KeymapError as error:
        _refuse(str(error))
        raise


def show(directory: Path | None, theme: str, readonly: bool = False, demo: bool = False) -> Exit:
    """Open the dashboard and return when it is left; the demo's tour where there is nothing to look at yet."""
    keymap, places = read_keys(), importlib.import_module("tui.places")
    lone = importlib.import_module("tui.lone").lone_app(directory, theme) if directory is not None else None
    if lone is not None:
        _run(lone)
        return Exit.FAILED if lone.return_code else Exit.DONE
    found = None if demo else _find(directory)
    if found is not None:
        return _open(found, theme, readonly=readonly, keymap=keymap)
    if demo or not places.remembered(places.TOUR):
        return _show_demo(theme, keymap)
    _run(importlib.import_module("tui.empty").Empty("runs/", theme))
    return Exit.DONE


def _find(directory: Path | None) -> Path | None:
    """The run to look at, None where none was named and there is none. Exits with 2 where it cannot be read."""
    source = importlib.import_module("tui.source")  # by name: company stands below tui and never imports it
    found = directory or source.find_run(Path("runs"))
    if found is None:
        return None
    look = source.Source(found)
    try:
        look.check()
    except source.SourceError as error:
        _refuse(str(error))
    finally:
        look.close()
    return found


def _show_demo(theme: str, keymap: Mapping[str, str]) -> Exit:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="loopworks-demo-") as folder:
        run = importlib.import_module("tui.demo").unpack(Path(folder))
        code = _open(run, theme, readonly=True, keymap=keymap, tour=True, label="demo")
    click.echo("that was the demo; found a company of your own with: loopworks run --tui", err=True)
    return code


def _open(run: Path, theme: str, **visit: object) -> Exit:
    opened = importlib.import_module("tui.visit").Visit(**visit)
    app = importlib.import_module("tui.app").Dashboard(run, theme, visit=opened)
    _run(app)
    return Exit.FAILED if app.return_code else Exit.DONE


def _run(app: Any) -> None:
    if _is_served():
        importlib.import_module("tui.lifeline").end_with_parent(app)
    app.run()


def _serve(directory: Path | None, theme: str, readonly: bool, demo: bool, port: int) -> Exit:
    """Serve the dashboard on the loopback interface until Ctrl-C."""
    read_keys()
    alone = directory is not None and importlib.import_module("tui.lone").is_lone(directory)
    found = None if demo else directory if alone else _find(directory)
    words = ["tui", "--theme", theme, *(["--readonly"] if readonly else []), *(["--demo"] if demo else [])]
    words += ["--", str(found)] if found is not None else []
    try:
        web = importlib.import_module("tui.web")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "textual_serve":
            raise
        _refuse("--web needs textual-serve: pip install 'loopworks[web]'")
        raise
    try:
        web.serve(words, port)
    except OSError as error:
        _refuse(f"port {port} cannot be used ({error.strerror}): choose another with --port")
    return Exit.DONE


def _refuse(lines: str) -> None:
    click.echo(lines, err=True)
    sys.exit(Exit.USAGE)

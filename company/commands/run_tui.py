"""`loopworks run --tui`: a company and its dashboard in one terminal, in two processes."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from pathlib import Path

import click

from company.exits import Exit


def words_of(ctx: click.Context, without: Collection[str]) -> list[str]:
    """The words that call a command again with the same values, options named in `without` left away."""
    words, arguments = [], []
    for param in ctx.command.params:
        value = ctx.params.get(param.name or "")
        if param.name in without or value is None or value is False or value == ():
            continue
        if isinstance(param, click.Argument):
            arguments.append(str(value))
        elif value is True:
            words.append(param.opts[-1])
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [f"{param.opts[-1]}={each}" for each in values]
    return [*words, "--", *arguments]


def attend(words: list[str], folder: Path) -> Exit:
    """Start the engine, show it until the dashboard is left, and say how to look again and how to go on."""
    from company.commands.tui import read_keys
    from company.detached import Detached, DetachedError

    keymap = read_keys()
    try:
        engine = Detached(words, folder)
    except OSError as error:
        click.echo(f"loopworks: {folder}: cannot be written ({error.strerror}): choose another --out", err=True)
        return Exit.FAILED
    try:
        click.echo("the engine begins ...", err=True)
        engine.begin()
        visit = importlib.import_module("tui.visit").Visit(keymap=keymap, engine=engine)
        app = importlib.import_module("tui.app").Dashboard(folder, visit=visit)
        app.run()
    except DetachedError as error:
        click.echo(error.said, err=True)
        return Exit(error.code) if error.code in set(Exit) else Exit.FAILED
    except KeyboardInterrupt:  # before the dashboard was there
        engine.stop()
        return _told(engine, folder, Exit.INTERRUPTED)
    if app.left == "stop":
        click.echo("the company stops ...", err=True)
        engine.stop()
        return _told(engine, folder, Exit.INTERRUPTED)
    return _told(engine, folder, Exit.FAILED if app.return_code else Exit.DONE)


def _told(engine: object, folder: Path, code: Exit) -> Exit:
    """Say how it stands with the company, and what can be typed now."""
    from company.detached import Detached

    assert isinstance(engine, Detached)
    again = f"look again: loopworks tui {folder}"
    if engine.works():
        _say(
            f"the company works on (process {engine.pid}, which kill -INT {engine.pid} stops); its lines: {engine.log}"
        )
        _say(again)
        return code
    if engine.failure() and engine.code != Exit.INTERRUPTED:
        _say(engine.failure())
        code = Exit.FAILED
    elif engine.code == 0:
        _say(f"the company has closed; what it found: loopworks report {folder}")
        _say(again)
        return Exit.DONE if code is Exit.INTERRUPTED else code
    else:
        _say("the company has stopped; nothing that was recorded is lost")
    _say(f"{again}; go on with: loopworks run --resume {folder} --tui")
    return code


def _say(line: str) -> None:
    click.echo(line, err=True)

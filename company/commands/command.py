"""`loopworks command`: step in while a company works. A command is a row; the engine applies it and answers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from company.exits import Exit

PATIENCE_S = 10.0


@click.group()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
@click.pass_context
def command(ctx: click.Context, directory: Path, as_json: bool) -> None:
    """Step in while the company of the run in DIRECTORY works.

    Where no engine works, the command waits in the ledger and is carried out when the run is resumed.
    """
    ctx.obj = (directory, as_json)


@command.command()
@click.pass_context
def pause(ctx: click.Context) -> None:
    """Start nothing new; what runs goes on."""
    _send(ctx, "pause", {})


@command.command()
@click.pass_context
def resume(ctx: click.Context) -> None:
    """Go on after a pause."""
    _send(ctx, "resume", {})


@command.command()
@click.argument("experiment")
@click.pass_context
def stop(ctx: click.Context, experiment: str) -> None:
    """End a running proposal; it counts for nobody."""
    _send(ctx, "stop", {"experiment": experiment})


@command.command()
@click.argument("experiment")
@click.pass_context
def approve(ctx: click.Context, experiment: str) -> None:
    """Say yes to a proposal under review, or to a request such as r1."""
    _send(ctx, "approve", {"experiment": experiment})


@command.command()
@click.argument("experiment")
@click.pass_context
def refuse(ctx: click.Context, experiment: str) -> None:
    """Say no to a proposal under review, or to a request such as r1."""
    _send(ctx, "refuse", {"experiment": experiment})


@command.command()
@click.argument("agent")
@click.option("--because", default="", help="The reason, kept in the record.")
@click.pass_context
def replace(ctx: click.Context, agent: str, because: str) -> None:
    """Let an agent go and hire from the talent pool."""
    _send(ctx, "replace", {"agent": agent, "because": because})


@command.command()
@click.argument("position")
@click.option("--to", required=True, help="The manager that it reports to from now on.")
@click.option("--because", default="", help="The reason, kept in the record.")
@click.pass_context
def move(ctx: click.Context, position: str, to: str, because: str) -> None:
    """Let a position, with all below it, report to another manager."""
    _send(ctx, "edit", {"edits": [{"kind": "Move", "position": position, "to": to}], "because": because})


@command.command()
@click.argument("position")
@click.option("--to", required=True, help="The manager's position that its agent takes.")
@click.option("--because", default="", help="The reason, kept in the record.")
@click.pass_context
def promote(ctx: click.Context, position: str, to: str, because: str) -> None:
    """Let the agent of a position change places with a manager."""
    _send(ctx, "edit", {"edits": [{"kind": "Promote", "position": position, "to": to}], "because": because})


@command.command()
@click.argument("edits")
@click.option("--because", default="", help="The reason, kept in the record.")
@click.pass_context
def edit(ctx: click.Context, edits: str, because: str) -> None:
    """Make one revision of several edits.

    EDITS are JSON such as [{"kind": "SetPolicy", "key": "replace.rule", "value": "never"}].
    """
    try:
        found = json.loads(edits)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", ctx, param_hint="EDITS") from None
    _send(ctx, "edit", {"edits": found, "because": because})


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--because", default="", help="The reason, kept in the record.")
@click.pass_context
def chart(ctx: click.Context, file: Path, because: str) -> None:
    """Make the organisation what a chart says.

    What differs in FILE is one revision. Budget and talent stay.
    """
    from company.chart_problems import ChartError
    from company.chart_yaml import load_chart

    try:
        found = load_chart(file)
    except ChartError as error:
        click.echo(str(error), err=True)
        sys.exit(Exit.USAGE)
    _send(ctx, "chart", {"chart": found.to_dict(), "because": because})


@command.command()
@click.argument("revision", type=click.IntRange(min=1))
@click.option("--because", default="", help="The reason, kept in the record.")
@click.pass_context
def undo(ctx: click.Context, revision: int, because: str) -> None:
    """Take a revision of the organisation back."""
    _send(ctx, "undo", {"revision": revision, "because": because})


def _send(ctx: click.Context, action: str, args: Mapping[str, Any]) -> None:
    """Write the command, wait a little for its answer, say it. Exit code 1 when it was turned down."""
    from company.directory import RunDirectory, is_held
    from company.ledger import LedgerError

    directory, as_json = ctx.obj
    run = RunDirectory(directory)
    try:
        number = _write(run.ledger, action, args)
        status, answer = _wait(run.ledger, number) if is_held(directory) else (None, "")
    except LedgerError as error:
        click.echo(str(error), err=True)
        sys.exit(Exit.USAGE)
    if status is None:
        answer = f"nobody has carried it out yet: it will be when an engine works ({_resume_line(directory)})"
    if as_json:
        click.echo(json.dumps({"command": number, "action": action, "status": status or "waiting", "answer": answer}))
    else:
        click.echo(answer, err=status != "done")
    sys.exit(Exit.FAILED if status == "refused" else Exit.DONE)


def _write(path: Path, action: str, args: Mapping[str, Any]) -> int:
    from contextlib import closing

    from company.ledger import Ledger, LedgerError

    with closing(Ledger(path)) as ledger:
        last = next(ledger.events(after=ledger.seq - 1), None)
    if last is None:
        raise LedgerError(f"{path.parent}: no company was founded here yet: there is nobody to ask")
    if last.event.kind == "RunClosed":
        raise LedgerError(f"{path.parent}: this company has closed: nobody carries out a command any more")
    with closing(Ledger(path, write=True)) as ledger:
        return ledger.send(action, args, "person")


def _wait(path: Path, number: int) -> tuple[str | None, str]:
    from contextlib import closing

    from company.ledger import Ledger

    deadline = time.monotonic() + PATIENCE_S
    with closing(Ledger(path)) as ledger:
        while time.monotonic() < deadline:
            found = ledger.answer(number)
            if found is not None:
                return found
            time.sleep(0.1)
    return None, ""


def _resume_line(directory: Path) -> str:
    return f"loopworks run --resume {directory}"

"""Wrong input that a command sees before anything is begun: one line, exit code 2, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from company.exits import Exit


class Refused(click.ClickException):
    """What was named is not there; the message is one line that says what to do."""

    exit_code = Exit.USAGE

    def show(self, file: object = None) -> None:
        click.echo(f"loopworks: {self.format_message()}", err=True)


class Named(click.Path):
    """A path with a name: an empty one, as of a variable that was never set, would be the current directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty: name a directory or a file, or '.' for the one you are in", param, ctx)
        return super().convert(value, param, ctx)


def with_named_paths(command: click.Command) -> click.Command:
    """The command, and those below it, with every option and argument that is a path taken as `Named`."""
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            parameter.type = Named(path_type=Path)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_named_paths(below)
    return command


def need_runs(directories: Sequence[Path]) -> None:
    """Raises Refused for the first directory that holds no run."""
    for directory in directories:
        need_no_batch(directory)
        if not (directory / "ledger.sqlite").is_file():
            raise Refused(f"{directory / 'ledger.sqlite'}: no ledger here; name the directory of a run")


def need_no_batch(directory: Path) -> None:
    """Raises Refused for the directory of a batch, where that of a run is meant."""
    if is_batch(directory):
        raise Refused(
            f"{directory} is a batch, not a run: its report is {directory / 'report.html'}; loopworks replay"
            f" {directory} 0 makes a run of its row 0"
        )


def is_batch(directory: Path) -> bool:
    """Whether a directory holds the results of a batch."""
    return (directory / "results.sqlite").is_file()


def need_recording(directory: Path) -> None:
    """Raises Refused where no answers of models were kept."""
    if not (directory / "exchanges.jsonl").is_file():
        raise Refused(f"{directory / 'exchanges.jsonl'}: nothing to play back: name a run that asked a model")


def say_usage(problem: click.UsageError) -> None:
    """A wrong option or argument in one line, with where to look it up."""
    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        problem.show()
        return
    command = problem.ctx.command_path if problem.ctx else "loopworks"
    click.echo(f"{command}: {problem.format_message()} ({command} --help says more)", err=True)

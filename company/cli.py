"""The `loopworks` command. Commands are imported when they are called, so that --help answers in a blink."""

from __future__ import annotations

import difflib
import importlib
import os
import sys

import click

from company.commands.inputs import say_usage, with_named_paths
from company.exits import Exit

COMMANDS = {
    "run": ("company.commands.run", "Found a company and let it work, or resume one that stopped."),
    "report": ("company.commands.report", "Show what a run found: terminal, Markdown, HTML or JSON."),
    "verify": ("company.commands.verify", "Say whether a run's record is whole and unaltered."),
    "command": ("company.commands.command", "Step in: pause, stop, approve, refuse, replace."),
    "tui": ("company.commands.tui", "Look at a run in the dashboard, live or finished."),
    "validate": ("company.commands.validate", "Hold the models against planted truths."),
    "org": ("company.commands.org", "Look at, check, compare and start org charts."),
    "project": ("company.commands.project", "Look at, check, calibrate and record training projects."),
    "compare": ("company.commands.compare", "Measure what a policy is worth, over the same simulated worlds."),
    "batch": ("company.commands.batch", "Run many companies in virtual time: which organisation is better?"),
    "replay": ("company.commands.replay", "Run one row of a batch again, with its whole story."),
    "doctor": ("company.commands.doctor", "Say what this machine offers and what to do about the rest."),
}


class LazyGroup(click.Group):
    """A group whose commands are modules, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        return with_named_paths(getattr(module, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean '{near[0]}'?" if near else "loopworks --help lists the commands"
            raise click.UsageError(f"no command '{name}': {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loopworks")
def loopworks() -> None:
    """An AI research company on your machine: agents propose, review and run real training experiments, and
    everything that is decided about them rests on what was measured.

    Start with: loopworks run
    """


def main() -> None:
    """The entry point: no traceback reaches a person, and an interrupt exits with 130."""
    for library in ("OMP", "OPENBLAS", "MKL"):  # threads would fight the slots for cores, and could change a sum
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    try:
        sys.exit(loopworks.main(standalone_mode=False))
    except click.UsageError as problem:
        say_usage(problem)
        sys.exit(problem.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        sys.exit(Exit.FAILED)

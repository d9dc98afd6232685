"""`loopworks project record`: train a space-filling design of a project and keep it as one file."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.surrogates.record import Plan
    from company.surrogates.recording import Recording, Row

EVERY_S = 30.0  # between two lines of progress where nobody sees a bar


@click.command()
@click.argument("name")
@click.option("--points", type=click.IntRange(1, 100_000), default=256, show_default=True, help="Distinct configs.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True,
              help="Seeds of every third config; the others have one, the baseline ten.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1, 1024), help="Trainings at a time; found by themselves otherwise.")
@click.option("--seed", type=click.IntRange(min=0, max=2**31 - 1), default=0, show_default=True, help="Of the design.")
@click.option("--out", type=click.Path(path_type=Path), help="The file; NAME.parquet otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def record(name: str, points: int, seeds: int, slots: int | None, seed: int, out: Path | None, as_json: bool) -> None:
    """Really train a space-filling design of a project, on all slots, and keep it as one file to simulate from.

    NAME is a shipped name or a folder. What is trained already is never trained again: after Ctrl-C or a crash the same
    command goes on, and so does one with more points. docs/recordings.md describes the file.
    """
    from company.compute.backend import ComputeError
    from company.surrogates.record import Plan, execute
    from company.surrogates.recording import RecordingError
    from projects.load import ProjectError, load_project

    try:
        found = load_project(name)
    except ProjectError as error:
        _stop("\n".join(error.problems), Exit.USAGE)
    words = ["loopworks", "project", "record", found.name, "--points", points, "--seeds", seeds, "--seed", seed]
    plan = Plan(found, points, out or Path(f"{found.name}.parquet"), seeds, seed, slots, shlex.join(map(str, words)))
    try:
        with _Progress() as progress:
            recording = execute(plan, progress)
    except (RecordingError, ComputeError) as error:
        _stop(str(error), Exit.FAILED)
    except KeyboardInterrupt:
        recording = None
    if recording is None:
        _stop("stopped; what was trained is kept: the same command goes on", Exit.INTERRUPTED)
    _summary(plan, recording, as_json)


def _stop(line: str, code: Exit) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(code)


def _summary(plan: Plan, recording: Recording, as_json: bool) -> None:
    failed = sum(row.status == "failed" for row in recording.rows)
    size = plan.out.stat().st_size
    if as_json:
        facts = {"file": str(plan.out), "trainings": len(recording.rows), "failed": failed, "bytes": size}
        click.echo(json.dumps(facts))
    else:
        click.echo(f"wrote {plan.out}: {len(recording.rows)} trainings, {failed} failed, {size / 1000:.0f} kB")


class _Progress:
    """A bar at a terminal, else a line now and then; calling it moves it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True))
        self._bar = Progress(*columns, TextColumn("{task.description}"), console=console, transient=True,
                             disable=not console.is_terminal)  # fmt: skip
        self._task = self._bar.add_task("getting ready", total=None)
        self._began, self._at, self._told, self._failed = 0.0, 0, 0.0, 0

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, of: int, row: Row | None) -> None:
        now = time.monotonic()
        if row is None:
            self._began, self._at, self._told = now, done, now
        self._failed += row is not None and row.status == "failed"
        self._bar.update(self._task, completed=done, total=of, description=f"{self._failed} failed")
        if self._bar.disable and row is not None and now > self._told + EVERY_S:
            self._told = now
            left = (now - self._began) / (done - self._at) * (of - done)
            click.echo(f"{done} of {of} trainings, {self._failed} failed; about {_span(left)} left", err=True)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"

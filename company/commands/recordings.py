"""`loopworks project record, import-table, surrogate`: recordings of real trainings, to simulate from."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from company.exits import Exit
from company.wording import plain

if TYPE_CHECKING:
    from company.surrogates.fitting import Fit
    from company.surrogates.recording import Recording, Row
    from projects.spec import Parameter

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
POOR = 0.5  # R2 below which what is simulated says more of the model than of the project
SOME = 8  # values of a choice that are shown
_POOR = f"with R2 below {POOR:g} the model hardly knows the project: more trainings before anything is concluded"
EVERY_S = 30.0  # between two lines of progress where nobody sees a bar


@click.command()
@click.argument("name")
@click.option("--points", type=click.IntRange(1, 100_000), default=256, show_default=True, help="Distinct configs.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True,
              help="Seeds of every third config; the others have one, the baseline ten.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1, 1024), help="Trainings at a time; found by themselves otherwise.")
@click.option("--seed", type=click.IntRange(min=0, max=2**31 - 1), default=0, show_default=True, help="Of the design.")
@click.option("--out", type=click.Path(path_type=Path), help="The file; NAME.parquet otherwise.")
@_JSON
def record(name: str, points: int, seeds: int, slots: int | None, seed: int, out: Path | None, as_json: bool) -> None:
    """Train a design of configs into one file to simulate from.

    The design fills the project's space; it really trains, on all slots. NAME is a shipped name or a folder. What is
    trained already is never trained again: after Ctrl-C or a crash the same command goes on, and so does one with more
    points. docs/recordings.md describes the file.
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
    _need_file(out)
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
    _summary(plan.out, recording, as_json)


@click.command("import-table")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--metric", default="metric", show_default=True, help="The column of the metric.")
@click.option("--direction", type=click.Choice(["min", "max"]), default="min", show_default=True,
              help="Whether the lowest or the highest metric is best.")  # fmt: skip
@click.option("--name", default="", help="Of the project; the file's otherwise.")
@click.option("--out", type=click.Path(path_type=Path), help="The recording; NAME.parquet here otherwise.")
@_JSON
def import_table(
    file: Path, metric: str, direction: Literal["min", "max"], name: str, out: Path | None, as_json: bool
) -> None:
    """Make a project to simulate of anyone's table.

    FILE is Parquet or CSV with one training a row. Columns named seed, seconds, status, failure, cost and curve mean
    what docs/recordings.md says; every other column is a parameter, its range what the table holds.
    """
    from company.surrogates.fitting import with_fit
    from company.surrogates.import_table import Wanted
    from company.surrogates.import_table import import_table as read
    from company.surrogates.recording import RecordingError, write_recording

    words = ["loopworks", "project", "import-table", file.name, "--metric", metric, "--direction", direction]
    target = out or Path(f"{name or file.stem}.parquet")
    _need_file(target)
    if file.is_file() and target.resolve() == file.resolve():
        _stop(f"{file}: would be overwritten: name another file with --out", Exit.USAGE)
    try:
        recording = with_fit(read(file, Wanted(metric, direction, name, shlex.join(words))))
        write_recording(recording, target)
    except RecordingError as error:
        _stop(str(error), Exit.USAGE)
    if not as_json:
        for parameter in recording.space.parameters:
            click.echo(f"  {parameter.name}: {_range(parameter)}")
    _summary(target, recording, as_json)


@click.command()
@click.argument("name")
@_JSON
def surrogate(name: str, as_json: bool) -> None:
    """How a recording was made, and how well its model predicts.

    It predicts configs that it has not seen. NAME is a shipped recording, a recording's file, or from-ledger:DIR for
    your own past runs.
    """
    from company.surrogates.catalogue import recording_of
    from company.surrogates.fitting import fit, kept_fit
    from company.surrogates.recording import RecordingError
    from company.surrogates.world import WorldError

    try:
        recording = recording_of(name)
        found = kept_fit(recording) or fit(recording)
    except (RecordingError, WorldError) as error:
        _stop(str(error), Exit.USAGE)
    about = recording.about
    if as_json:
        scores = found.model_dump(mode="json", include={"scale", "best", "median", "scores"})
        return click.echo(json.dumps({**about.model_dump(mode="json", exclude={"costs"}), **scores}))
    click.echo(f"{about.name} {about.version}: {len(recording.rows)} trainings, {about.source}")
    for heading, text in _facts(recording, found):
        click.echo(f"  {heading:11} {text}")
    return None


def _facts(recording: Recording, found: Fit) -> Iterator[tuple[str, str]]:
    about, scores, metric = recording.about, found.scores, recording.metric
    best = "lowest" if metric.direction == "min" else "highest"
    yield "metric", f"{metric.name}, {best} is best; modelled on the scale: {found.scale}"
    yield "configs", f"{scores.configs}, {scores.replicated} of them with several seeds; {scores.failed:.1%} failed"
    if about.machine:
        versions = ", ".join(f"{name} {version}" for name, version in about.versions.items())
        yield "machine", f"{about.slots} of {about.cores} cores, {about.machine}; {versions}"
    if about.command:
        yield "made by", about.command
    yield "predicts", f"R2 {scores.r2:.3f}, rank correlation {_figure(scores.rank)}, 5 folds over configs"
    if scores.rmse_sigmas is not None:
        yield "error", f"{scores.rmse_sigmas:.2f} standard deviations between seeds (RMSE)"
    if scores.failure_auc is not None:
        yield "failures", f"AUC {scores.failure_auc:.3f}, {_figure(scores.failure_accuracy)} told right"
    noise, duration = scores.explained_noise, scores.explained_duration
    yield "explained", f"{noise:.0%} of how noise varies, {duration:.0%} of how durations vary (leaving one out)"
    if scores.r2 < POOR:
        yield "note", _POOR
    yield "regret", f"0 at {metric.sign * found.best:.5g}, 1 at {metric.sign * found.median:.5g}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(parameter: Parameter) -> str:
    if parameter.kind != "choice":
        scale = ", on a logarithmic scale" if parameter.log else ""
        return f"{parameter.kind}, {parameter.low:g} to {parameter.high:g}{scale}"
    values = parameter.values
    more = f", ... ({len(values)} values; each is a choice of its own)" if len(values) > SOME else ""
    return f"choice of {', '.join(plain(value, 40) for value in values[:SOME])}{more}"


def _need_file(out: Path | None) -> None:
    if out is not None and out.is_dir():
        _stop(f"{out}: is a directory: name a file with --out", Exit.USAGE)


def _stop(line: str, code: Exit) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(code)


def _summary(path: Path, recording: Recording, as_json: bool) -> None:
    failed = sum(row.status == "failed" for row in recording.rows)
    size = path.stat().st_size
    if as_json:
        facts = {"file": str(path), "trainings": len(recording.rows), "failed": failed, "bytes": size}
        click.echo(json.dumps(facts))
        return
    click.echo(f"wrote {path}: {len(recording.rows)} trainings, {failed} failed, {size / 1000:.0f} kB")
    if recording.fit is None:
        click.echo("too few different results to interpolate between: simulating needs more", err=True)
    else:
        r2 = recording.fit["scores"]["r2"]
        click.echo(f"R2 {r2:.3f}; more with: loopworks project surrogate {path}")
        if r2 < POOR:
            click.echo(f"note: {_POOR}", err=True)


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

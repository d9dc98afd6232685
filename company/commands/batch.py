"""`loopworks batch`: which organisation does better research for the same compute?"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from company.exits import Exit

if TYPE_CHECKING:
    from company.batch.backends import Backend
    from company.batch.grid import Grid
    from company.batch.race import Dropped
    from company.batch.rows import Arm, Row
    from company.batch.scenario import Scenario
    from company.batch.statistics import Analysis
    from company.batch.store import Store
    from company.batch.tables import Table

SHOWN = {  # headings of the report's tables that fit a terminal
    "arm", "n", "IQM of regret", "95 % interval", "experiments", "failed", "difference", "P(better)", "p (Holm)",
}  # fmt: skip
WIDEST = 40  # characters of a setting that are kept in one line
ROOMY = 120  # columns of a terminal in which most tables fit unbroken
FLAGS = ("projects", "seeds", "seed", "slots", "experiments", "engine", "race", "controls", "set")


@click.command()
@click.argument("charts", nargs=-1, required=True, metavar="CHART... | SCENARIO.yaml")
@click.option("--project", "-P", "projects", multiple=True, metavar="NAME", help="Simulated projects; several: each "
              "organisation on each. planted when none is named.")  # fmt: skip
@click.option("--set", "options", multiple=True, metavar="KEY=V1,V2", help="Values of a policy; several --set: every "
              "combination.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 100_000), help="How many worlds of each project.  [default: 20]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="The first of them.  [default: 0]")
@click.option("--experiments", type=click.IntRange(1, 1_000_000), help="Full-length training runs of "
              "research for every arm, of which one stopped early takes a part; what the first chart's budget says"
              " otherwise.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1, 1024), help="Experiments at a time.  [default: 2]")
@click.option("--engine", type=click.Choice(["direct", "autogen"]), help="Policies called directly, or behind AutoGen: "
              "the same events.  [default: direct]")  # fmt: skip
@click.option("--race", is_flag=True, default=None, help="Drop arms that are worse beyond doubt; from 20 seeds on.")
@click.option("--controls/--no-controls", default=None, help="Add the control arms.  [default: controls]")
@click.option("--reference", metavar="ARM", help="The arm to compare the others with, as the report names it, "
              "such as 'startup replace.rule=never'; the best control otherwise. No row depends on it.")  # fmt: skip
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes; as many as there are cores otherwise.")
@click.option("--backend", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Rows on this "
              "machine, or on a Ray cluster: the same rows.")  # fmt: skip
@click.option("--ray-address", metavar="HOST:PORT", help="The cluster's head node, seen from one of its nodes; without "
              "it Ray is started on this machine.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="The batch's directory; a new one under batches/ "
              "otherwise. One that holds the same batch, or the same with fewer --seeds, is gone on with.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print rows and summary as one JSON object.")
@click.option("--debug", is_flag=True, help="Show where an unexpected error came from.")
def batch(
    charts: tuple[str, ...], options: tuple[str, ...], reference: str | None, jobs: int | None, backend: str,
    ray_address: str | None, out: Path | None, as_json: bool, debug: bool, **flags: Any,
) -> None:  # fmt: skip
    """Run companies in virtual time, every organisation in the same worlds, and say which does the better research.

    Regret is how far a company's champion truly is from the best there is: 0 the best, 1 a random draw. All arms have
    the same budget. Controls are added unless --no-controls: the chart solo, one agent alone; and each chart without
    and with random replacement.

    Results go to DIR/results.sqlite, with report.md, report.html and plots/. Ctrl-C keeps what is done: the same
    command goes on. A row's whole story: loopworks replay DIR ROW

    loopworks batch startup flat --project valley --project rippled --seeds 50 --out batches/mine
    """
    from company.batch.scenario import ScenarioError
    from company.batch.store import OtherBatch, StoreError
    from company.compute.ray_cluster import ClusterError, RayMissing
    from company.directory import DirectoryError

    if ray_address is not None and backend != "ray":
        raise click.UsageError("--ray-address is for --backend ray: give both")
    try:
        grid = _grid(charts, options, flags)
        named = _named(grid, reference)
        _note(grid)
        with _backend(backend, ray_address, jobs) as chosen:
            sys.exit(_batch(grid, named, chosen, jobs, out, as_json))
    except ScenarioError as error:
        _stop(str(error), Exit.USAGE)
    except (RayMissing, OtherBatch) as error:
        _stop(f"loopworks: {error}", Exit.USAGE)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        _stop(f"loopworks: {error.filename}: {error.strerror}: choose another directory with --out", Exit.USAGE)
    except (StoreError, DirectoryError, ClusterError, OSError) as error:
        _stop(f"loopworks: {error}", Exit.FAILED)
    except KeyboardInterrupt:
        _stop("interrupted before anything was run", Exit.INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        _stop(f"loopworks: unexpected {type(error).__name__}: {error}; --debug shows where", Exit.FAILED)


def _grid(charts: tuple[str, ...], options: tuple[str, ...], flags: dict[str, Any]) -> Grid:
    from company.batch.grid import resolve

    return resolve(_scenario(charts, options, flags))


def _named(grid: Grid, reference: str | None) -> Arm | None:
    """The arm that a flag, or the scenario, wants the others compared with. Raises ScenarioError."""
    name = grid.scenario.reference if reference is None else reference
    return None if name is None else grid.named(name)


def _note(grid: Grid) -> None:
    from company.chart import OrgChart
    from company.chart_notes import simulated
    from company.wording import plain

    if note := simulated(OrgChart.from_dict(each.chart) for each in grid.arms):
        click.echo(f"note: {note}", err=True)
    for name, project in grid.again:
        click.echo(f"note: {plain(name)} is {plain(project)} again: its worlds count once", err=True)


def _backend(kind: str, address: str | None, jobs: int | None) -> contextlib.AbstractContextManager[Backend | None]:
    """The cluster to run rows on, for as long as the context lasts; None for this machine. Raises ClusterError."""
    if kind != "ray":
        return contextlib.nullcontext()
    from company.batch.ray_backend import on_ray

    return on_ray(address, jobs)


def _batch(
    grid: Grid, named: Arm | None, backend: Backend | None, jobs: int | None, out: Path | None, as_json: bool
) -> Exit:
    from company.batch.backends import LocalBackend
    from company.batch.outcome import versions
    from company.batch.store import Store
    from company.directory import RunDirectory, next_directory
    from company.processes import cores

    folder = out or next_directory(Path("batches"), grid.base.chart, grid.projects[0].replace("/", "_"))
    folder.mkdir(parents=True, exist_ok=True)
    lock = RunDirectory(folder)
    lock.lock()
    try:
        with contextlib.closing(Store(folder / "results.sqlite", write=True)) as store:
            store.begin(grid, versions(grid))
            left = len(grid) - len(store.done())
            with LocalBackend(max(1, min(jobs or cores(), left))) as here:
                return _carry_out(grid, named, store, folder, backend or here, as_json)
    finally:
        lock.unlock()


def _carry_out(grid: Grid, named: Arm | None, store: Store, folder: Path, backend: Backend, as_json: bool) -> Exit:
    from company.batch.outcome import analysis_of, made, write_report
    from company.batch.outcome import as_json as pieces
    from company.batch.runner import run_batch

    there = len(store.done())
    try:
        with _progress(len(grid), there) as progress:
            dropped = run_batch(grid, store, backend, progress)
        store.look()  # before anybody sees it: a report cut short counts too
        analysis, how = analysis_of(grid, store, named), made(grid, store, dropped, named)
        write_report(analysis, how, folder)
    except KeyboardInterrupt:
        kept = f"{len(store.done()):,} of {len(grid):,} rows are kept in {folder}"
        return _say(f"interrupted; {kept}: the same command with --out {folder} goes on", Exit.INTERRUPTED)
    if as_json:
        for piece in pieces(grid, store, analysis, dropped):
            click.echo(piece, nl=False)
    else:
        _show(analysis, how, dropped, folder)
    return Exit.FAILED if not store.counts().get("ok") else Exit.DONE


def _scenario(charts: Sequence[str], options: Sequence[str], flags: dict[str, Any]) -> Scenario:
    """The scenario of a file, or of flags; both at once would leave open which counts."""
    from company.batch.scenario import ScenarioError, read_scenario, scenario
    from company.comparison import choices
    from company.edits import EditError

    found = read_scenario(Path(charts[0])) if len(charts) == 1 else None
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    if found is not None:
        if given or options:
            more = f"--{next(iter(given), 'set')}".replace("--projects", "--project")
            raise ScenarioError(f"{charts[0]} is a scenario and says it all: leave {more} away, or change the file")
        return found
    try:
        return scenario({"charts": charts, "set": choices(options), **given})
    except EditError as error:
        raise ScenarioError(str(error)) from None


@contextlib.contextmanager
def _progress(rows: int, there: int) -> Iterator[Any]:
    """A bar with the time left, for a person at a terminal; called with how many rows were done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    talk = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        at, failed = bar.add_task("companies at work", total=rows, completed=there), 0

        def advance(count: int, done: Sequence[Row]) -> None:
            nonlocal failed
            failed += sum(row.status == "failed" for row in done)
            bar.update(at, advance=count, description=f"{failed} failed" if failed else "companies at work")

        yield advance


def _show(analysis: Analysis, how: dict[str, object], dropped: Sequence[Dropped], folder: Path) -> None:
    """The conclusion, then two tables that fit a terminal, then where the rest is."""
    from rich.console import Console
    from rich.markup import escape

    from company.batch.tables import tables

    out = Console(highlight=False)
    out.print(f"[bold]{escape(analysis.verdict.sentence)}[/]")
    for note in analysis.notes:
        out.print(escape(note), style="dim")
    for table in list(tables(analysis, how))[:-1]:
        out.print("", _table(table, out.width < ROOMY), sep="\n")
    if dropped:
        out.print("", f"dropped early: {escape(str(how['dropped by the race']))}", sep="\n")
    out.print("", f"{escape(str(folder))}: results.sqlite, report.md, report.html, plots", sep="\n", soft_wrap=True)


def _table(table: Table, narrow: bool) -> Any:
    """Columns of words are broken between words where room is scarce: a setting stays whole, and no figure is cut."""
    from rich.markup import escape
    from rich.table import Table as Grid

    shown = [i for i, head in enumerate(table.heads) if head in SHOWN or not table.numeric or len(table.heads) < 6]
    found = Grid(title=escape(table.title), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for i in shown:
        longest = max(len(word) for row in (table.heads, *table.rows) for word in row[i].split())
        width = min(longest, WIDEST) if narrow and i == 0 else None
        justify = "right" if i in table.numeric else "left"
        found.add_column(escape(table.heads[i]), justify=justify, width=width, overflow="fold")
    for row in table.rows:
        found.add_row(*(escape(row[i]) for i in shown))
    return found


def _say(line: str, code: Exit) -> Exit:
    click.echo(f"loopworks: {line}", err=True)
    return code


def _stop(line: str, code: Exit) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(code)

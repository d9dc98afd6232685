"""`loopworks replay`: the whole story of one row of a batch, or a finished run from its founding."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import NoReturn

import click

from company.commands.inputs import Refused, is_batch, need_runs
from company.exits import Exit


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("row", type=click.IntRange(min=0), required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The run directory; DIR/replays/ROW (or N) otherwise.")
def replay(directory: Path, row: int | None, out: Path | None) -> None:
    """Run row ROW of the batch in DIR again, with its full ledger, and check that its history is the same.

    Without ROW, DIR is a finished run: it is carried out again, its experiments really train, and its language models'
    recorded answers are given without network. Its history is the same if it worked in order (one slot, or
    --deterministic). The run directory is one as loopworks run makes it: loopworks report and loopworks tui open it.
    """
    if row is None:
        if is_batch(directory):
            raise Refused(f"{directory} is a batch: name one of its rows: loopworks replay {directory} 0")
        need_runs([directory])
        _replay_run(directory, out or _next(directory / "replays"))
        return
    from company.batch.store import Store, StoreError
    from company.directory import DirectoryError
    from company.ledger import LedgerError

    try:
        with contextlib.closing(Store(directory / "results.sqlite")) as store:
            _replay(store, directory, row, out or directory / "replays" / str(row))
    except StoreError as error:
        _stop(str(error), Exit.USAGE)
    except (DirectoryError, LedgerError, OSError) as error:
        _stop(f"loopworks: {error}", Exit.FAILED)


def _replay_run(directory: Path, out: Path) -> None:
    from company.chart_problems import ChartError
    from company.compute.backend import ComputeError
    from company.directory import DirectoryError
    from company.ledger import LedgerError
    from company.models import ModelError
    from company.run_again import run_again
    from projects.load import ProjectError
    from roles.brains.llm.exchanges import Diverged

    try:
        found = run_again(directory, out)
    except (ChartError, ProjectError) as error:
        _stop(str(error), Exit.USAGE)
    except (DirectoryError, LedgerError, ModelError, Diverged, ComputeError, OSError) as error:
        _stop(f"loopworks: {error}", Exit.FAILED)
    if found.after == found.before:
        click.echo(f"the run is as it was, digest {found.after[:12]}; see it with: loopworks report {out}")
        return
    why = "" if found.in_order else ": it took what came first; only one slot or --deterministic repeats"
    _stop(f"loopworks: the run came out otherwise ({found.after[:12]}, not {found.before[:12]}){why}; what happened now"
          f" is in {out}", Exit.FAILED)  # fmt: skip


def _next(parent: Path) -> Path:
    number = 1
    while (parent / str(number)).exists():
        number += 1
    return parent / str(number)


def _replay(store: object, directory: Path, row: int, out: Path) -> None:
    from company.batch.outcome import versions
    from company.batch.replay import replay as again
    from company.batch.store import Store, StoreError
    from company.directory import RunDirectory

    assert isinstance(store, Store)
    grid = store.grid()
    if row >= len(grid):
        raise StoreError(f"{directory}: there is no row {row}: there are rows 0 to {len(grid) - 1}")
    before = store.row(row)
    if before is None:
        raise StoreError(f"{directory}: row {row} was not run: finish the batch first, unless a race dropped its arm")
    if (out / "ledger.sqlite").exists():
        raise StoreError(f"{out}: is there already: see it with loopworks report {out}, or choose another --out")
    found = again(grid.task(row), RunDirectory(out))
    if found.digest != before.digest:
        changed = _changed(store.versions(), versions(grid))
        _stop(f"loopworks: row {row} came out otherwise ({found.digest[:12]}, not {before.digest[:12]}){changed}; what"
              f" happened now is in {out}", Exit.FAILED)  # fmt: skip
    failed = f"; it failed {found.stage}: {found.reason}" if found.status == "failed" else ""
    click.echo(f"row {row} is as it was, digest {found.digest[:12]}{failed}; see it with: loopworks report {out}")


def _changed(then: dict[str, str], now: dict[str, str]) -> str:
    names = sorted(name for name in {**then, **now} if then.get(name) != now.get(name))
    return "".join(f": {name} was {then.get(name, 'none')}, now {now.get(name, 'none')}" for name in names[:1])


def _stop(line: str, code: Exit) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(code)

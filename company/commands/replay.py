"""`loopworks replay`: the whole story of one row of a batch."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import NoReturn

import click

from company.exits import Exit


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("row", type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path), help="The run directory; DIR/replays/ROW otherwise.")
def replay(directory: Path, row: int, out: Path | None) -> None:
    """Run row ROW of the batch in DIR again, with its full ledger, and check that its history is the same.

    The run directory is one as loopworks run makes it: loopworks report and loopworks tui open it.
    """
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

"""A batch from its grid to its rows: chunks of rows to a backend, each recorded as it comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import Any, cast

from company.batch.backends import Backend, Chunk
from company.batch.grid import Grid
from company.batch.race import FEWEST, Dropped, hopeless
from company.batch.rows import Arm, Row
from company.batch.store import Store

CHUNK_S = 1.0  # of work in a chunk: more for each transaction, and less to lose to Ctrl-C
LARGEST = 256
ROUND = 5  # seeds between two looks of a race

OnRows = Callable[[int, Sequence[Row]], None]  # how many more rows are there, and which


def run_batch(grid: Grid, store: Store, backend: Backend, on_rows: OnRows = lambda count, rows: None) -> list[Dropped]:
    """Run every row of the grid that the store does not hold. Returns the arms that a race has dropped."""
    done, dropped = store.done(), dict[Arm, Dropped]()
    for first, last in _rounds(grid):
        numbers = [number for number in grid.rows(first, last) if grid.task(number).arm not in dropped]
        left = [number for number in numbers if number not in done]
        _run(grid, left, store, backend, on_rows)
        if grid.scenario.race and last < grid.scenario.seeds:
            before = len(dropped)
            _drop(grid, store, last, dropped)
            if len(dropped) > before:
                gone = len(dropped) - before
                on_rows(gone * len(grid.projects) * (grid.scenario.seeds - last), ())
    return list(dropped.values())


def _run(grid: Grid, numbers: Sequence[int], store: Store, backend: Backend, on_rows: OnRows) -> None:
    """Run the rows of some numbers; what is done stays recorded, whatever ends it."""
    if not numbers:
        return
    arms = {contender.arm: i for i, contender in enumerate(grid.arms)}
    pace = _Pace(backend.jobs)
    left = iter(numbers)
    with closing(cast(Any, backend.run(_chunks(grid, numbers, pace)))) as results:
        for rows in cast(Iterable[list[Row]], results):
            found = [(next(left), arms[row.arm], row) for row in rows]
            store.add(found)
            pace.done += len(rows)
            on_rows(len(rows), rows)


class _Pace:
    """How long rows take, so that chunks are neither crumbs nor hours."""

    def __init__(self, jobs: int) -> None:
        self.jobs, self.done, self.began = jobs, 0, time.perf_counter()

    def size(self) -> int:
        if not self.done:
            return 1
        seconds = (time.perf_counter() - self.began) * self.jobs / self.done
        return max(1, min(LARGEST, int(CHUNK_S / max(seconds, 1e-9))))


def _chunks(grid: Grid, numbers: Sequence[int], pace: _Pace) -> Iterator[Chunk]:
    at = 0
    while at < len(numbers):
        size = pace.size()
        yield tuple(map(grid.task, numbers[at : at + size]))
        at += size


def _rounds(grid: Grid) -> Iterator[tuple[int, int]]:
    """Stretches of seeds: all at once, or in a race up to each look."""
    seeds = grid.scenario.seeds
    looks = range(FEWEST, seeds, ROUND) if grid.scenario.race else ()
    yield from pairwise((0, *looks, seeds))


def _drop(grid: Grid, store: Store, last: int, dropped: dict[Arm, Dropped]) -> None:
    """Look at the rows of the first `last` seeds: the same after a resumption, and with any number of jobs."""
    rows = (row for _, row in store.rows(below=grid.rows(0, last).stop))
    for found in hopeless(rows, keep=grid.controls):
        dropped.setdefault(found.arm, found)

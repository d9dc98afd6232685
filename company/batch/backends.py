"""Where rows are run: in this process or in several. Another backend needs only `run`.

Covered: rows come back in order whichever is done first; a worker that dies costs its rows a second run, and a row that
kills its worker again is a failed row. Not covered: with one job a row that kills the process kills the batch.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from typing import Protocol, Self

from company.batch import work as rows
from company.batch.grid import Task
from company.batch.rows import Row
from company.processes import interrupts_later, serve_the_parent

Chunk = tuple[Task, ...]
Work = Callable[[Task], Row]

AHEAD = 2  # chunks that wait for each process, so that none runs dry
DIED = "its process died, twice: for want of memory, or killed"


class Backend(Protocol):
    """Runs chunks of rows."""

    jobs: int

    def run(self, chunks: Iterable[Chunk]) -> Iterator[list[Row]]:
        """The rows of each chunk, in order. Chunks are taken as they are needed, a few ahead."""
        ...


class LocalBackend:
    """`jobs` processes of this machine; this one where it is one. A context: the processes stay from one run to the
    next, for each has to make its worlds, and go at its end."""

    def __init__(self, jobs: int, work: Work = rows.work) -> None:
        self.jobs, self.work = jobs, work
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[BaseProcess] = set()  # children that are not the pool's

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, chunks: Iterable[Chunk]) -> Iterator[list[Row]]:
        if self.jobs == 1:
            yield from (_rows(self.work, chunk) for chunk in chunks)
            return
        left, lost = iter(chunks), deque[Chunk]()
        try:
            while True:
                yield from self._pooled(left, lost)
                if not lost:
                    return
                self._end()
                while lost:
                    yield self._again(lost.popleft())
        except BaseException:
            self._end()
            raise

    def _pooled(self, chunks: Iterator[Chunk], lost: deque[Chunk]) -> Iterator[list[Row]]:
        """The rows of chunks until all are done, or a worker dies: then `lost` holds what was under way."""
        waiting: deque[tuple[Chunk, Future[list[Row]]]] = deque()
        pool = self._workers()
        try:
            for chunk in chunks:
                with interrupts_later():
                    waiting.append((chunk, pool.submit(_rows, self.work, chunk)))
                if len(waiting) >= self.jobs * AHEAD:
                    yield waiting[0][1].result()
                    waiting.popleft()
            while waiting:
                yield waiting[0][1].result()
                waiting.popleft()
        except BrokenProcessPool:
            lost.extend(chunk for chunk, _ in waiting)

    def _again(self, chunk: Chunk) -> list[Row]:
        """A chunk by itself; row by row where that kills its worker too."""
        try:
            with _pool(1) as pool:
                return pool.submit(_rows, self.work, chunk).result()
        except BrokenProcessPool:
            if len(chunk) == 1:
                return [rows.failed(chunk[0], "running", DIED)]
            return [row for task in chunk for row in self._again((task,))]

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._others, self._pool = set(active_children()), _pool(self.jobs)
        return self._pool

    def _end(self) -> None:
        """End the processes, at once: who interrupts does not want to wait for rows that nobody will see."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for child in set(active_children()) - self._others:
            child.terminate()
        pool.shutdown(cancel_futures=True)


def _pool(jobs: int) -> ProcessPoolExecutor:
    context = get_context("forkserver")  # a forked child of a process with threads could hang
    context.set_forkserver_preload(["company.batch.work"])
    return ProcessPoolExecutor(jobs, context, serve_the_parent)


def _rows(work: Work, chunk: Chunk) -> list[Row]:
    """The rows of a chunk. A company leaves no cycles of objects behind: to look for some would cost a twentieth."""
    looks = gc.isenabled()
    gc.disable()
    try:
        return [work(task) for task in chunk]
    finally:
        if looks:
            gc.enable()
